using System.Diagnostics;
using System.Text;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>When one answer's parts came. Times are <see cref="Stopwatch"/> timestamps.</summary>
internal sealed class BenchAnswer
{
    public required long Started { get; init; }

    /// <summary>One a piece of text, in order.</summary>
    public List<long> Arrivals { get; } = [];

    /// <summary>What was said, where it was asked to be kept.</summary>
    public StringBuilder? Text { get; init; }

    public int PromptTokens { get; set; }

    /// <summary>Of <see cref="PromptTokens"/>, those that were not computed.</summary>
    public int CachedTokens { get; set; }

    public int Tokens { get; set; }

    /// <summary>The HTTP status; 0: there was none.</summary>
    public int Status { get; set; }

    /// <summary>What went wrong; null: nothing.</summary>
    public string? Problem { get; set; }

    /// <summary>Whether the reader went away before the end.</summary>
    public bool IsLeft { get; set; }

    /// <summary>When the role came, which is sent with the first token, be that a whole character or not; null: it did not come.</summary>
    public long? Began { get; set; }

    /// <summary>When the first token came.</summary>
    public long First => Began ?? Arrivals[0];

    public long Last => Arrivals[^1];

    public double TimeToFirstToken => Stopwatch.GetElapsedTime(Started, First).TotalMilliseconds;

    /// <summary>Tokens a second from the request to the last token.</summary>
    public double Rate => Tokens / Stopwatch.GetElapsedTime(Started, Last).TotalSeconds;

    /// <summary>Milliseconds a token after the first, on average.</summary>
    public double TimePerToken => Stopwatch.GetElapsedTime(First, Last).TotalMilliseconds / (Tokens - 1);

    /// <summary>Milliseconds between pieces; a piece may be several tokens, where one alone is no character.</summary>
    public IEnumerable<double> Gaps => GapsWhere((_, _) => true);

    /// <summary>Gaps that begin and end between two moments, in milliseconds.</summary>
    public IEnumerable<double> GapsWithin(long from, long to) => GapsWhere((start, end) => start >= from && end <= to);

    /// <summary>Gaps that lie between two moments in whole or in part, in milliseconds.</summary>
    public IEnumerable<double> GapsDuring(long from, long to) => GapsWhere((start, end) => end > from && start < to);

    /// <summary>Tokens that came after a moment, up to another.</summary>
    public double TokensBetween(long from, long to) => Arrivals.Count(at => at > from && at <= to) * (double)Tokens / Arrivals.Count;

    /// <summary>This answer, if it came whole and has text to time.</summary>
    /// <exception cref="CommandFailure">It did not, or has none.</exception>
    public BenchAnswer MustBeTimed()
    {
        if (Problem is not null)
        {
            throw Status is >= 200 and < 300
                ? new CommandFailure($"An answer broke off: {Problem}", "look into the nodes' logs.")
                : new CommandFailure(Status == 0 ? $"The API did not answer: {Problem}" : $"The API answered {Status}: {Problem}", "take a shorter --prompt or --generate, or fewer --users.");
        }

        return Arrivals.Count > 1 && (Tokens > 1 || IsLeft) ? this : throw new CommandFailure("An answer had no text to time.", "take a larger --generate.");
    }

    private IEnumerable<double> GapsWhere(Func<long, long, bool> counts) => Arrivals.Zip(Arrivals.Skip(1))
        .Where(gap => counts(gap.First, gap.Second))
        .Select(gap => Stopwatch.GetElapsedTime(gap.First, gap.Second).TotalMilliseconds);
}
