using System.Diagnostics.CodeAnalysis;
using SimpleBase;

namespace KwaaiNet.Protocol.Nodes;

/// <summary>The written form of a node's public key: a did:key (https://w3c-ccg.github.io/did-key-spec/).</summary>
// did:key:z6Mk…  =  "did:key:"  "z" (multibase: base58btc)  base58btc( 0xED 0x01 (multicodec: Ed25519 public key)  32 key bytes )
public static class NodeId
{
    /// <summary>Bytes of an Ed25519 public key.</summary>
    public const int PublicKeyBytes = 32;

    private const string Prefix = "did:key:z";

    // 34 bytes that begin with 0xED are 47 base58 digits, always.
    private const int Digits = 47;

    /// <summary>The node id of a public key.</summary>
    /// <exception cref="ArgumentException">The key is not 32 bytes.</exception>
    public static string FromPublicKey(ReadOnlySpan<byte> publicKey)
    {
        if (publicKey.Length != PublicKeyBytes)
            throw new ArgumentException($"An Ed25519 public key is {PublicKeyBytes} bytes, not {publicKey.Length}.", nameof(publicKey));
        Span<byte> tagged = stackalloc byte[2 + PublicKeyBytes];
        tagged[0] = 0xED;
        tagged[1] = 0x01;
        publicKey.CopyTo(tagged[2..]);
        return Prefix + Base58.Bitcoin.Encode(tagged);
    }

    /// <summary>The public key inside a node id; false unless the id is the one way to write an Ed25519 key.</summary>
    public static bool TryGetPublicKey([NotNullWhen(true)] string? nodeId, Span<byte> publicKey)
    {
        if (nodeId is null || nodeId.Length != Prefix.Length + Digits || !nodeId.StartsWith(Prefix, StringComparison.Ordinal)
            || publicKey.Length < PublicKeyBytes || nodeId.AsSpan(Prefix.Length).ContainsAnyExcept(s_digits))
        {
            return false;
        }

        // Forty-seven digits may also spell 35 bytes; the room for them keeps the decoder from judging that for us.
        Span<byte> tagged = stackalloc byte[48];
        if (!Base58.Bitcoin.TryDecode(nodeId.AsSpan(Prefix.Length), tagged, out int written)
            || written != 2 + PublicKeyBytes || tagged[0] != 0xED || tagged[1] != 0x01)
        {
            return false;
        }

        tagged.Slice(2, PublicKeyBytes).CopyTo(publicKey);
        return true;
    }

    /// <summary>Whether a text is the did:key of an Ed25519 key.</summary>
    public static bool IsValid([NotNullWhen(true)] string? nodeId)
    {
        Span<byte> publicKey = stackalloc byte[PublicKeyBytes];
        return TryGetPublicKey(nodeId, publicKey);
    }

    private static readonly System.Buffers.SearchValues<char> s_digits =
        System.Buffers.SearchValues.Create("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz");
}
