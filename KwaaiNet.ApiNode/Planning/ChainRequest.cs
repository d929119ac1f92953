using KwaaiNet.ApiNode.Models;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Trust;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>What a chain must satisfy.</summary>
internal sealed record ChainRequest
{
    /// <summary>The model; its file's hash is what every node must hold.</summary>
    public required ChatModel Model { get; init; }

    /// <summary>The network's name; records of others do not count. Null: any.</summary>
    public string? Network { get; init; }

    /// <summary>KV positions the session may reach on every node: no node is used whose context or whole memory is smaller.</summary>
    public int Positions { get; init; } = 1;

    /// <summary>KV positions the session is expected to take, which a node must have free. Shards give room as it is filled.</summary>
    public int ExpectedPositions { get; init; } = 1;

    /// <summary>Tokens of the prompt: what is computed before the first token, where nothing of it is held.</summary>
    public int PromptTokens { get; init; }

    /// <summary>The chain that last held the beginning of this prompt; null when none is known.</summary>
    public HeldPrefix? Held { get; init; }

    /// <summary>Sessions that this API node has opened on a node, less those it has closed, since that node's record was new: what the record does not count yet.</summary>
    public Func<NodeRecord, int> OpenedSince { get; init; } = _ => 0;

    /// <summary>At which node the list begins of which earlier ones win ties: from number to number equal chains take turns.</summary>
    public int Turn { get; init; }

    /// <summary>The protocol version the last shard must speak: it draws. The others need no more than the base.</summary>
    public uint LastShardVersion { get; init; } = ProtocolVersions.Base;

    /// <summary>The least tier of every node.</summary>
    public TrustTier MinimumTier { get; init; } = TrustTier.Unknown;

    /// <summary>Nodes not to use: recently failed, or already refused this request.</summary>
    public AvoidedNodes Avoid { get; init; } = AvoidedNodes.None;

    /// <summary>Which KV memory counts.</summary>
    public KvRoom Room { get; init; } = KvRoom.Free;
}
