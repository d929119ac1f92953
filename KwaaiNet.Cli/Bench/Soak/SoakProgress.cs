namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>How far a soak is.</summary>
/// <param name="Stage">What it does.</param>
/// <param name="Fraction">Of this stage, from 0 to 1; 0 where nobody knows.</param>
/// <param name="Counts">What has become of requests; null before there are any.</param>
internal sealed record SoakProgress(string Stage, double Fraction, SoakCounts? Counts = null);
