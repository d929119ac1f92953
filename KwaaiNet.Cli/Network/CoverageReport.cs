namespace KwaaiNet.Cli.Network;

/// <summary>Blocks, first and last, and how many nodes hold them ready.</summary>
/// <param name="Blocks"><c>0-2</c>.</param>
/// <param name="Nodes">How many.</param>
internal sealed record CoverageReport(string Blocks, int Nodes);
