using System.Buffers.Binary;
using System.Security.Cryptography;

namespace KwaaiNet.ModelStore.Tests.Fakes;

/// <summary>A file that a server has: bytes in front, and as many made-up ones behind as it takes, without holding them.</summary>
internal sealed class Content
{
    private const int Chunk = 1 << 20;

    private readonly byte[] _front;
    private readonly byte[] _pattern = new byte[Chunk];

    public Content(byte[] front, long? length = null, int seed = 1)
    {
        _front = front;
        Length = length ?? front.Length;
        new Random(seed).NextBytes(_pattern);
    }

    public long Length { get; }

    /// <summary>A byte that is not what it should be; null: none.</summary>
    public long? WrongByte { get; set; }

    public string Sha256()
    {
        using IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        byte[] buffer = new byte[Chunk];
        long? wrong = WrongByte;
        WrongByte = null;
        for (long at = 0; at < Length; at += Chunk)
        {
            Span<byte> part = buffer.AsSpan(0, (int)Math.Min(Chunk, Length - at));
            Read(at, part);
            hash.AppendData(part);
        }

        WrongByte = wrong;
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    public void Read(long offset, Span<byte> into)
    {
        long start = offset;
        Span<byte> all = into;
        if (offset < _front.Length)
        {
            int count = (int)Math.Min(into.Length, _front.Length - offset);
            _front.AsSpan((int)offset, count).CopyTo(into);
            into = into[count..];
            offset += count;
        }

        Span<byte> mark = stackalloc byte[sizeof(long)];

        // Every chunk is the same pattern with its own number in front, so that no two stretches are alike.
        while (!into.IsEmpty)
        {
            long number = offset / Chunk;
            int within = (int)(offset % Chunk);
            int count = Math.Min(into.Length, Chunk - within);
            _pattern.AsSpan(within, count).CopyTo(into);
            BinaryPrimitives.WriteInt64LittleEndian(mark, number);
            for (int i = within; i < Math.Min(within + count, mark.Length); i++) into[i - within] = mark[i];
            into = into[count..];
            offset += count;
        }

        if (WrongByte is { } wrong && wrong >= start && wrong < start + all.Length) all[(int)(wrong - start)] ^= 0x40;
    }
}
