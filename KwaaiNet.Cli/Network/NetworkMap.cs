namespace KwaaiNet.Cli.Network;

/// <summary>The part of discovery's <c>GET /network</c> that is shown.</summary>
/// <param name="Live">Whether discovery's own view is up to date.</param>
/// <param name="Nodes">The live nodes.</param>
/// <param name="Models">How well each model is covered.</param>
internal sealed record NetworkMap(bool Live, IReadOnlyList<MapNode> Nodes, IReadOnlyList<MapModel> Models);

/// <summary>A live node.</summary>
internal sealed record MapNode(string NodeId, string Role, string? HttpEndpoint, long MemoryBytes, IReadOnlyList<MapServing> Serving);

/// <summary>Blocks <c>[FirstBlock, EndBlock)</c> of a model on a node.</summary>
internal sealed record MapServing(
    string Model, int FirstBlock, int EndBlock, int BlockCount, string State, string Backend, string Device,
    double PrefillTokensPerSecond, double DecodeTokensPerSecond, long KvFreeBytes, int Queue, int Sessions);

/// <summary>How well a model is covered.</summary>
internal sealed record MapModel(string Model, int BlockCount, bool Complete, int Copies, IReadOnlyList<MapRange> Gaps);

/// <summary>Blocks <c>[FirstBlock, EndBlock)</c>.</summary>
internal sealed record MapRange(int FirstBlock, int EndBlock);
