using System.Diagnostics;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>When one answer's parts came. Times are <see cref="Stopwatch"/> timestamps.</summary>
internal sealed class BenchAnswer
{
    public required long Started { get; init; }

    /// <summary>One a piece of text, in order.</summary>
    public List<long> Arrivals { get; } = [];

    public int PromptTokens { get; set; }

    public int Tokens { get; set; }

    public long First => Arrivals[0];

    public long Last => Arrivals[^1];

    public double TimeToFirstToken => Stopwatch.GetElapsedTime(Started, First).TotalMilliseconds;

    /// <summary>Tokens a second from the request to the last token.</summary>
    public double Rate => Tokens / Stopwatch.GetElapsedTime(Started, Last).TotalSeconds;

    /// <summary>Milliseconds a token after the first, on average.</summary>
    public double TimePerToken => Stopwatch.GetElapsedTime(First, Last).TotalMilliseconds / (Tokens - 1);

    /// <summary>Milliseconds between pieces; a piece may be several tokens, where one alone is no character.</summary>
    public IEnumerable<double> Gaps => Arrivals.Zip(Arrivals.Skip(1), (before, after) => Stopwatch.GetElapsedTime(before, after).TotalMilliseconds);

    /// <summary>Tokens that came after a moment, up to another.</summary>
    public double TokensBetween(long from, long to) => Arrivals.Count(at => at > from && at <= to) * (double)Tokens / Arrivals.Count;
}
