using KwaaiNet.ApiNode.Models;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Trust;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>What a chain must satisfy.</summary>
internal sealed record ChainRequest
{
    /// <summary>The model; its file's hash is what every node must hold.</summary>
    public required ChatModel Model { get; init; }

    /// <summary>The network's name; records of others do not count. Null: any.</summary>
    public string? Network { get; init; }

    /// <summary>KV positions the session needs on every node.</summary>
    public int Positions { get; init; } = 1;

    /// <summary>The protocol version the last shard must speak: it draws. The others need no more than the base.</summary>
    public uint LastShardVersion { get; init; } = ProtocolVersions.Base;

    /// <summary>The least tier of every node.</summary>
    public TrustTier MinimumTier { get; init; } = TrustTier.Unknown;

    /// <summary>Nodes not to use: recently failed, or already refused this request.</summary>
    public AvoidedNodes Avoid { get; init; } = AvoidedNodes.None;

    /// <summary>Which KV memory counts.</summary>
    public KvRoom Room { get; init; } = KvRoom.Free;
}
