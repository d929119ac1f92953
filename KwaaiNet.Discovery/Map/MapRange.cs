namespace KwaaiNet.Discovery.Map;

/// <summary>Blocks <c>[FirstBlock, EndBlock)</c> and how many nodes serve them.</summary>
/// <param name="FirstBlock">The first block.</param>
/// <param name="EndBlock">One past the last block.</param>
/// <param name="Nodes">How many nodes serve every one of them.</param>
public sealed record MapRange(int FirstBlock, int EndBlock, int Nodes);
