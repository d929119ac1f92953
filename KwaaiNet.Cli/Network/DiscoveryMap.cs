namespace KwaaiNet.Cli.Network;

/// <summary>The part of discovery's <c>GET /network</c> that is shown.</summary>
/// <param name="Live">Whether discovery's own view is up to date.</param>
/// <param name="Nodes">The live nodes.</param>
/// <param name="Models">How well each model is covered.</param>
internal sealed record DiscoveryMap(bool Live, IReadOnlyList<DiscoveredNode> Nodes, IReadOnlyList<DiscoveredModel> Models);

/// <summary>A live node.</summary>
internal sealed record DiscoveredNode(string NodeId, string Role, string? HttpEndpoint, long MemoryBytes, IReadOnlyList<DiscoveredServing> Serving);

/// <summary>Blocks <c>[FirstBlock, EndBlock)</c> of a model on a node.</summary>
internal sealed record DiscoveredServing(
    string Model, string WeightsHash, int FirstBlock, int EndBlock, int BlockCount, string State, string Backend, string Device,
    double PrefillTokensPerSecond, double DecodeTokensPerSecond, long KvFreeBytes, int Queue, int Sessions);

/// <summary>How well a model is covered. A stranger's file of the same name has other weights, and is a model of its own here.</summary>
internal sealed record DiscoveredModel(
    string Network, string Model, string WeightsHash, int BlockCount, bool Complete, int Replicas,
    IReadOnlyList<DiscoveredRange> Coverage, IReadOnlyList<DiscoveredRange> Gaps);

/// <summary>Blocks <c>[FirstBlock, EndBlock)</c> and on how many nodes they lie.</summary>
internal sealed record DiscoveredRange(int FirstBlock, int EndBlock, int Nodes);
