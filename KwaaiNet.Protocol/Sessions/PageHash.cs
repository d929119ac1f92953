using System.Buffers.Binary;

namespace KwaaiNet.Protocol.Sessions;

/// <summary>Names one page of a conversation's KV cache and, being chained, all tokens up to the page's end.</summary>
/// <param name="Value">The hash's first 16 bytes, read big-endian.</param>
public readonly record struct PageHash(UInt128 Value)
{
    /// <summary>Positions a page has. The unit of reuse on the wire, whatever pages an engine keeps inside.</summary>
    public const int Positions = 64;

    /// <summary>Bytes one hash takes.</summary>
    public const int Length = 16;

    /// <summary>Pages one message may name: a million positions.</summary>
    public const int MaxPages = 16_384;

    /// <summary>Reads the hash of page <paramref name="page"/> from hashes that follow one another.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There is no such page.</exception>
    public static PageHash Read(ReadOnlySpan<byte> hashes, int page) =>
        new(BinaryPrimitives.ReadUInt128BigEndian(hashes.Slice(page * Length, Length)));

    /// <summary>Writes the hash; the destination has <see cref="Length"/> bytes.</summary>
    public void Write(Span<byte> destination) => BinaryPrimitives.WriteUInt128BigEndian(destination, Value);
}
