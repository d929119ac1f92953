using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Protocol.Tests;

internal static class Samples
{
    public static readonly string Hash = new('a', 64);

    public static NodeRecord Record(NodeIdentity identity, ulong sequence = 1, string network = "test") => new()
    {
        Version = 1,
        NodeId = identity.NodeId,
        Sequence = sequence,
        IssuedUnixMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
        TtlMs = 15_000,
        Network = network,
        Role = NodeRole.Shard,
        Endpoints = { "https://127.0.0.1:5001" },
        Serving = { Served() },
        Software = "kwaainet/test",
        ProtocolVersions = { 1 },
    };

    public static ServedBlocks Served(string model = "demo", uint first = 0, uint end = 4, uint count = 8) => new()
    {
        Model = model,
        WeightsHash = Hash,
        FirstBlock = first,
        EndBlock = end,
        BlockCount = count,
        State = ServingState.Ready,
        Backend = "cpu",
        Device = "test device",
        ContextLength = 512,
    };
}
