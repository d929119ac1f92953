namespace KwaaiNet.Cli.Bench.Network;

/// <summary>Order statistics of what was measured.</summary>
internal static class Percentile
{
    /// <summary>The value that a share of all does not exceed (nearest rank); 0 of none.</summary>
    public static double Of(IEnumerable<double> values, double share)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? 0 : sorted[Math.Clamp((int)Math.Ceiling(share * sorted.Length) - 1, 0, sorted.Length - 1)];
    }

    public static double Median(IEnumerable<double> values) => Of(values, 0.5);
}
