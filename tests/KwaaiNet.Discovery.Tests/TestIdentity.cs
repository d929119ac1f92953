using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Discovery.Tests;

/// <summary>A node that exists only as records.</summary>
internal sealed class TestIdentity : IDisposable
{
    private readonly NodeIdentity _identity = NodeIdentity.Create();
    private ulong _sequence = (ulong)DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();

    public string NodeId => _identity.NodeId;

    /// <summary>A record with the next sequence.</summary>
    public SignedNodeRecord Next(string network = "test", string model = "demo", uint ttl = 30_000, bool withdrawn = false, Action<NodeRecord>? change = null)
    {
        NodeRecord record = new()
        {
            Version = 1,
            NodeId = _identity.NodeId,
            Sequence = ++_sequence,
            IssuedUnixMs = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds(),
            TtlMs = ttl,
            Network = network,
            Role = NodeRole.Shard,
            Endpoints = { "https://127.0.0.1:5001" },
            Withdrawn = withdrawn,
        };
        if (!withdrawn)
            record.Serving.Add(Served(model, 0, 4));
        change?.Invoke(record);
        return SignedNodeRecord.Sign(record, _identity);
    }

    public static ServedBlocks Served(string model, uint first, uint end, uint count = 8, ServingState state = ServingState.Ready) => new()
    {
        Model = model,
        WeightsHash = new string('a', 64),
        FirstBlock = first,
        EndBlock = end,
        BlockCount = count,
        State = state,
        Backend = "cpu",
        Device = "test device",
    };

    public void Dispose() => _identity.Dispose();
}
