namespace KwaaiNet.Protocol.Nodes;

/// <summary>A node's Ed25519 key pair and the name that follows from it (<c>did:key:z6Mk…</c>).</summary>
public sealed class NodeIdentity : IDisposable
{
    private NodeIdentity(string nodeId) => NodeId = nodeId;

    /// <summary>The did:key of the public key: multibase base58btc of the multicodec <c>0xED 0x01</c> and the 32 key bytes.</summary>
    public string NodeId { get; }

    /// <summary>A fresh identity that is not stored.</summary>
    public static NodeIdentity Create() => throw new NotSupportedException("replaced");

    /// <summary>Reads the key file, or makes one that only its owner can read.</summary>
    public static NodeIdentity LoadOrCreate(string path) => throw new NotSupportedException("replaced");

    /// <summary>Signs bytes: a 64-byte Ed25519 signature.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => throw new NotSupportedException("replaced");

    /// <summary>Checks a signature against the key inside a node id; false for anything malformed.</summary>
    public static bool Verify(string nodeId, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature) => throw new NotSupportedException("replaced");

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
