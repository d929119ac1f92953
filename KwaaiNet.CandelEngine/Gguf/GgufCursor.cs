using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>Reads little-endian values from a mapped file front to back; every read is checked against the file's end.</summary>
internal unsafe ref struct GgufCursor(GgufMapping mapping, string path, long position = 0)
{
    private static readonly UTF8Encoding s_strictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    private readonly byte* _start = mapping.Start;

    /// <summary>Bytes from the start of the file.</summary>
    public long Position { get; private set; } = position;

    /// <summary>Bytes to the end of the file.</summary>
    public readonly long Remaining => mapping.Length - Position;

    /// <summary>Takes the next bytes.</summary>
    /// <param name="count">How many; at most the rest of the file, or the file is truncated.</param>
    /// <param name="part">What is being read, for the error's message.</param>
    public ReadOnlySpan<byte> Take(int count, GgufItem part)
    {
        if (count > Remaining)
            ThrowTruncated(part, (ulong)count);
        ReadOnlySpan<byte> bytes = new(_start + Position, count);
        Position += count;
        return bytes;
    }

    /// <summary>Passes over bytes.</summary>
    public void Skip(ulong count, GgufItem part)
    {
        if (count > (ulong)Remaining)
            ThrowTruncated(part, count);
        Position += (long)count;
    }

    public byte ReadByte(GgufItem part) => Take(1, part)[0];

    public uint ReadUInt32(GgufItem part) => BinaryPrimitives.ReadUInt32LittleEndian(Take(4, part));

    public ulong ReadUInt64(GgufItem part) => BinaryPrimitives.ReadUInt64LittleEndian(Take(8, part));

    /// <summary>Reads a string's length and its bytes.</summary>
    public ReadOnlySpan<byte> ReadStringBytes(GgufItem part, int maximumLength)
    {
        ulong length = ReadUInt64(part);
        if (length > (ulong)Remaining)
            ThrowTruncated(part, length);
        if (length > (ulong)maximumLength)
            Throw($"{part} is a string of {length} bytes; at most {maximumLength} are allowed there");
        return Take((int)length, part);
    }

    /// <summary>Reads a string that must be UTF-8.</summary>
    public string ReadString(GgufItem part, int maximumLength)
    {
        ReadOnlySpan<byte> bytes = ReadStringBytes(part, maximumLength);
        try
        {
            return s_strictUtf8.GetString(bytes);
        }
        catch (DecoderFallbackException e)
        {
            throw new ModelFormatException($"{path}: {part} is not UTF-8. The file is damaged: download it again.", e);
        }
    }

    [DoesNotReturn]
    public readonly void Throw(string problem) => throw new ModelFormatException($"{path}: {problem}. The file is damaged or was written wrongly: download it again.");

    [DoesNotReturn]
    private readonly void ThrowTruncated(GgufItem part, ulong needed) => throw new ModelFormatException(
        $"{path}: truncated: {part} at byte {Position} says it needs {needed} bytes, and the file has {Remaining} left of {mapping.Length}. Download it again.");
}
