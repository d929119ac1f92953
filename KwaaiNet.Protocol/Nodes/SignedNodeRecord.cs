using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Protocol.Nodes;

/// <summary>A node record whose signature and bounds have been checked, with the very bytes that were signed. Immutable.</summary>
public sealed class SignedNodeRecord
{
    private SignedNodeRecord(NodeRecord record, SignedRecord wire)
    {
        Record = record;
        Wire = wire;
    }

    /// <summary>What the node says. Not to be changed.</summary>
    public NodeRecord Record { get; }

    /// <summary>The signed bytes, as they travel.</summary>
    public SignedRecord Wire { get; }

    /// <summary>The node's did:key.</summary>
    public string NodeId => Record.NodeId;

    /// <summary>Signs a record; its <c>node_id</c> must be the identity's.</summary>
    public static SignedNodeRecord Sign(NodeRecord record, NodeIdentity identity) => throw new NotSupportedException("replaced");

    /// <summary>Checks signature and bounds.</summary>
    /// <exception cref="NodeRecordException">The record is not believed; the message says which field and why.</exception>
    public static SignedNodeRecord Verify(SignedRecord wire) => throw new NotSupportedException("replaced");
}
