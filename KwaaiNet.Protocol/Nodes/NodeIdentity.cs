using NSec.Cryptography;

namespace KwaaiNet.Protocol.Nodes;

/// <summary>A node's Ed25519 key pair and the name that follows from it (<c>did:key:z6Mk…</c>).</summary>
/// <remarks>Safe for concurrent use.</remarks>
public sealed class NodeIdentity : IDisposable
{
    /// <summary>Bytes of a signature.</summary>
    public const int SignatureBytes = 64;

    private readonly Key _key;

    private NodeIdentity(Key key)
    {
        _key = key;
        NodeId = Nodes.NodeId.FromPublicKey(key.PublicKey.Export(KeyBlobFormat.RawPublicKey));
    }

    /// <summary>The did:key of the public key: multibase base58btc of the multicodec <c>0xED 0x01</c> and the 32 key bytes.</summary>
    public string NodeId { get; }

    /// <summary>A fresh identity that is not stored.</summary>
    public static NodeIdentity Create() =>
        new(Key.Create(SignatureAlgorithm.Ed25519, new KeyCreationParameters { ExportPolicy = KeyExportPolicies.AllowPlaintextExport }));

    /// <summary>Reads the key file, or makes one that only its owner can read.</summary>
    /// <remarks>When two processes make the file at once, both go on with the one that was there first.</remarks>
    /// <exception cref="NodeIdentityException">The file is not a key file, or cannot be read or written; the message says which and what to do.</exception>
    public static NodeIdentity LoadOrCreate(string path)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(path);
        if (NodeKeyFile.TryRead(path, out byte[]? stored))
            return FromSeed(stored);
        NodeIdentity identity = Create();
        byte[] seed = identity._key.Export(KeyBlobFormat.RawPrivateKey);
        if (NodeKeyFile.TryCreate(path, seed, identity.PublicKey()))
            return identity;
        identity.Dispose();
        return NodeKeyFile.TryRead(path, out stored)
            ? FromSeed(stored)
            : throw new NodeIdentityException($"The key file '{path}' appears and disappears; give every node a folder of its own.");
    }

    /// <summary>Signs bytes: a 64-byte Ed25519 signature.</summary>
    public byte[] Sign(ReadOnlySpan<byte> data) => SignatureAlgorithm.Ed25519.Sign(_key, data);

    /// <summary>The 32 bytes of the public key.</summary>
    public byte[] PublicKey() => _key.PublicKey.Export(KeyBlobFormat.RawPublicKey);

    /// <summary>Checks a signature against the key inside a node id; false for anything malformed.</summary>
    public static bool Verify(string nodeId, ReadOnlySpan<byte> data, ReadOnlySpan<byte> signature)
    {
        Span<byte> raw = stackalloc byte[Nodes.NodeId.PublicKeyBytes];
        return signature.Length == SignatureBytes
            && Nodes.NodeId.TryGetPublicKey(nodeId, raw)
            && NSec.Cryptography.PublicKey.TryImport(SignatureAlgorithm.Ed25519, raw, KeyBlobFormat.RawPublicKey, out PublicKey? key)
            && SignatureAlgorithm.Ed25519.Verify(key!, data, signature);
    }

    /// <inheritdoc/>
    public void Dispose() => _key.Dispose();

    internal static byte[] PublicKeyOfSeed(ReadOnlySpan<byte> seed)
    {
        using Key key = Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey);
        return key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    private static NodeIdentity FromSeed(byte[] seed) => new(Key.Import(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey));
}
