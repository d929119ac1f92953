namespace KwaaiNet.Discovery.Map;

/// <summary>How well a model is covered by the nodes that are ready. Nodes with another weights hash or of another network cannot be chained, so each combination is a model of its own here.</summary>
/// <param name="Network">The network.</param>
/// <param name="Model">The model's name.</param>
/// <param name="WeightsHash">SHA-256 of the model file.</param>
/// <param name="BlockCount">Blocks of the whole model.</param>
/// <param name="Complete">Whether every block is served.</param>
/// <param name="Replicas">On how many nodes the rarest block lies.</param>
/// <param name="Coverage">From block 0 to the last: ranges and on how many nodes they lie, 0 included.</param>
/// <param name="Gaps">The ranges that nobody serves.</param>
public sealed record MapModel(
    string Network,
    string Model,
    string WeightsHash,
    uint BlockCount,
    bool Complete,
    int Replicas,
    IReadOnlyList<MapRange> Coverage,
    IReadOnlyList<MapRange> Gaps);
