namespace KwaaiNet.Cli.Network;

/// <summary>What <c>kwaainet status</c> says: the processes as the system knows them, the ranges as discovery knows them.</summary>
/// <param name="Running">Whether a network runs.</param>
/// <param name="Url">Where apps connect.</param>
/// <param name="Model">The model it was started with.</param>
/// <param name="DiscoveryAnswers">Whether discovery answered; without it nothing is known of ranges.</param>
/// <param name="Complete">Whether every block of the model is served, of the very weights it was started with.</param>
/// <param name="Replicas">On how many nodes the rarest block lies: with 2 any node can be lost.</param>
/// <param name="Coverage">From the first block to the last: ranges, and on how many nodes they lie.</param>
/// <param name="Gaps">Blocks that nobody serves: <c>3-5</c>.</param>
/// <param name="Nodes">The nodes, in the order they were started.</param>
internal sealed record NetworkReport(
    bool Running, string? Url, string? Model, bool DiscoveryAnswers, bool Complete, int Replicas, IReadOnlyList<CoverageReport> Coverage,
    IReadOnlyList<string> Gaps, IReadOnlyList<NodeReport> Nodes)
{
    /// <summary>No network.</summary>
    public static NetworkReport None { get; } = new(false, null, null, false, false, 0, [], [], []);
}
