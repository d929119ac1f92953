namespace KwaaiNet.Cli.Network;

/// <summary>What becomes of a node that ended.</summary>
/// <param name="Delay">The wait before it is started again; null: it is not.</param>
/// <param name="WhyNot">Why it is not, as the end of a sentence; null when it is.</param>
/// <param name="IsLimit">Whether it was started again too often.</param>
internal sealed record RestartVerdict(TimeSpan? Delay, string? WhyNot, bool IsLimit = false)
{
    public static RestartVerdict After(TimeSpan delay) => new(delay, null);

    public static RestartVerdict No(string why, bool isLimit = false) => new(null, why, isLimit);
}
