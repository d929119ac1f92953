using Google.Protobuf;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Protocol.Nodes;

/// <summary>A node record whose signature and bounds have been checked, with the very bytes that were signed. Immutable.</summary>
public sealed class SignedNodeRecord
{
    /// <summary>Upper bound of a serialised record, in bytes.</summary>
    public const int MaxRecordBytes = 64 * 1024;

    /// <summary>How far the clocks of two nodes may differ: a record from further in the future is not believed.</summary>
    public static readonly TimeSpan MaxClockSkew = TimeSpan.FromMinutes(5);

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

    // What is signed is not the bare record: the text in front keeps a signature made for a record from standing for anything else.
    private static ReadOnlySpan<byte> Domain => "kwaainet-node-record-v1\0"u8;

    /// <summary>Signs a record; its <c>node_id</c> must be the identity's.</summary>
    /// <param name="record">The record; it is copied.</param>
    /// <param name="identity">Who signs.</param>
    /// <param name="time">The clock that <c>issued_unix_ms</c> is held against; null: the system's.</param>
    /// <exception cref="NodeRecordException">A reader would not believe the record; the message says which field and why.</exception>
    public static SignedNodeRecord Sign(NodeRecord record, NodeIdentity identity, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(record);
        ArgumentNullException.ThrowIfNull(identity);
        if (record.NodeId != identity.NodeId)
            throw new NodeRecordException($"node_id '{record.NodeId}' is not the signing identity's, '{identity.NodeId}'.");
        ByteString bytes = record.ToByteString();
        SignedRecord wire = new() { Record = bytes, Signature = ByteString.CopyFrom(identity.Sign(WithDomain(bytes.Span))) };
        return Verify(wire, time);
    }

    /// <summary>Checks signature and bounds.</summary>
    /// <param name="wire">The record as it came.</param>
    /// <param name="time">The clock that <c>issued_unix_ms</c> is held against; null: the system's.</param>
    /// <exception cref="NodeRecordException">The record is not believed; the message says which field and why.</exception>
    public static SignedNodeRecord Verify(SignedRecord wire, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(wire);
        if (wire.Record.Length is 0 or > MaxRecordBytes)
            throw new NodeRecordException($"record is {wire.Record.Length} bytes; 1 to {MaxRecordBytes} are allowed.");
        if (wire.Signature.Length != NodeIdentity.SignatureBytes)
            throw new NodeRecordException($"signature is {wire.Signature.Length} bytes; {NodeIdentity.SignatureBytes} are expected.");
        NodeRecord record;
        try
        {
            record = NodeRecord.Parser.ParseFrom(wire.Record);
        }
        catch (InvalidProtocolBufferException error)
        {
            throw new NodeRecordException($"record is not a NodeRecord: {error.Message}");
        }

        if (!Nodes.NodeId.IsValid(record.NodeId))
            throw new NodeRecordException("node_id is not the did:key of an Ed25519 key.");
        if (!NodeIdentity.Verify(record.NodeId, WithDomain(wire.Record.Span), wire.Signature.Span))
            throw new NodeRecordException($"signature does not fit record and node_id '{record.NodeId}'.");
        NodeRecordBounds.Check(record, time ?? TimeProvider.System);
        return new SignedNodeRecord(record, new SignedRecord { Record = wire.Record, Signature = wire.Signature });
    }

    private static byte[] WithDomain(ReadOnlySpan<byte> record) => [.. Domain, .. record];
}
