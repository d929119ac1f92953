using Google.Protobuf;

namespace KwaaiNet.Protocol.Wire;

/// <summary>A bytes field whose buffer is filled again and again: no message that has it allocates once its lengths, four of them at most, have come up before.</summary>
/// <remarks>Protobuf takes bytes for immutable: whoever fills this anew has to know that nobody looks at the message any more.</remarks>
public sealed class ReusableBytes
{
    // A buffer that is lent now for a token and now for a hidden state sees a few lengths in turn.
    private const int KeptLengths = 4;

    private readonly ByteString?[] _sealed = new ByteString?[KeptLengths];
    private byte[] _buffer = [];
    private int _next;

    /// <summary>Bytes the buffer has room for.</summary>
    public int Capacity => _buffer.Length;

    /// <summary>Bytes of the field.</summary>
    public int Length { get; private set; }

    /// <summary>The field's bytes, to be written.</summary>
    public Span<byte> Span => _buffer.AsSpan(0, Length);

    /// <summary>The same, for readers that fill arrays.</summary>
    internal ArraySegment<byte> Segment => new(_buffer, 0, Length);

    /// <summary>Sets the length. What has been written stays up to it.</summary>
    public void Resize(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        if (_buffer.Length < length)
        {
            // An exact size: a session's steps have few different ones, and powers of two would waste half of a prefill.
            byte[] larger = GC.AllocateUninitializedArray<byte>(length);
            Span.CopyTo(larger);
            _buffer = larger;
            Array.Clear(_sealed);
        }

        Length = length;
    }

    /// <summary>The bytes as a field, without a copy.</summary>
    public ByteString Seal()
    {
        foreach (ByteString? known in _sealed)
        {
            if (known is not null && known.Length == Length) return known;
        }

        ByteString bytes = UnsafeByteOperations.UnsafeWrap(_buffer.AsMemory(0, Length));
        _sealed[_next] = bytes;
        _next = (_next + 1) % KeptLengths;
        return bytes;
    }
}
