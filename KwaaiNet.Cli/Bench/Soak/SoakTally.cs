using KwaaiNet.Cli.Bench.Network;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>Counts what became of requests. Used from many threads.</summary>
internal sealed class SoakTally
{
    private const int MostExamples = 5;
    private const double StallMilliseconds = 1_000;

    private readonly Lock _gate = new();
    private readonly List<string> _examples = [];
    private SoakCounts _counts = new();

    /// <summary>All so far.</summary>
    public SoakCounts Counts
    {
        get
        {
            lock (_gate) return _counts;
        }
    }

    /// <summary>The first answers that were different or failed, and how.</summary>
    public IReadOnlyList<string> Examples
    {
        get
        {
            lock (_gate) return [.. _examples];
        }
    }

    /// <summary>Counts an answer.</summary>
    public void Add(SoakTurn turn, BenchAnswer answer)
    {
        SoakOutcome outcome = turn.Judge(answer);
        double[] gaps = [.. answer.Gaps];
        lock (_gate)
        {
            _counts = _counts with
            {
                Sent = _counts.Sent + 1,
                Answered = _counts.Answered + Of(SoakOutcome.Answered),
                Cancelled = _counts.Cancelled + Of(SoakOutcome.Cancelled),
                Refused = _counts.Refused + Of(SoakOutcome.Refused),
                Failed = _counts.Failed + Of(SoakOutcome.Failed),
                Different = _counts.Different + Of(SoakOutcome.Different),
                Tokens = _counts.Tokens + answer.Tokens,
                PromptTokens = _counts.PromptTokens + answer.PromptTokens,
                CachedTokens = _counts.CachedTokens + answer.CachedTokens,
                LongestStallMilliseconds = Math.Round(gaps.Append(_counts.LongestStallMilliseconds).Max(), 1),
                Stalls = _counts.Stalls + gaps.Count(gap => gap > StallMilliseconds),
                LongestFirstTokenMilliseconds = answer.Arrivals.Count == 0
                    ? _counts.LongestFirstTokenMilliseconds
                    : Math.Round(Math.Max(_counts.LongestFirstTokenMilliseconds, answer.TimeToFirstToken), 1),
            };
            if (_examples.Count >= MostExamples) return;
            if (outcome == SoakOutcome.Different) _examples.Add(turn.Difference(answer));
            if (outcome == SoakOutcome.Failed) _examples.Add($"{turn.Name}: {answer.Status} {answer.Problem}");
        }

        int Of(SoakOutcome counted) => outcome == counted ? 1 : 0;
    }

    /// <summary>Counts a request that Ctrl-C ended.</summary>
    public void AddInterrupted()
    {
        lock (_gate) _counts = _counts with { Sent = _counts.Sent + 1, Cancelled = _counts.Cancelled + 1 };
    }
}
