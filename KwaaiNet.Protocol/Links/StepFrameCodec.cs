using System.Buffers;
using System.Buffers.Binary;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Protocol.Links;

/// <summary>Steps on links: read into pooled buffers, which <see cref="StepFrame.Release"/> gives back, and written out of their own.</summary>
/// <remarks>
/// Little-endian:
/// <code>
///  0  session      [16]
/// 16  step         u64
/// 24  kv_length    u32
/// 28  rows         u32
/// 32  first_block  u32
/// 36  flags        u8    1: sample; 2: the rows are hidden states, otherwise tokens; 4: acknowledge; no others
/// 37  tokens or hidden states, to the end of the frame
/// </code>
/// What has fields beyond these goes as protobuf.
/// </remarks>
internal sealed class StepFrameCodec : ILinkCodec<StepFrame>
{
    /// <summary>Bytes before the rows.</summary>
    public const int HeadBytes = SessionBounds.SessionIdBytes + 8 + (3 * 4) + 1;

    // What a peer promises to send is given room as it comes.
    private const int FirstRoomBytes = 1 << 20;
    private const byte SampleFlag = 1;
    private const byte HiddenFlag = 2;
    private const byte AcknowledgeFlag = 4;

    /// <inheritdoc/>
    public bool TrySend(LinkConnection link, StepFrame message, bool flush)
    {
        if (!CanSay(message)) return false;
        link.Send(LinkFrameKind.Raw, message, static (frame, buffer) => WriteHead(frame, buffer), PayloadOf(message), flush);
        return true;
    }

    /// <inheritdoc/>
    public StepFrame Read(LinkConnection link, int length, bool isPassing)
    {
        if (length < HeadBytes) throw new InvalidDataException($"a step of {length} bytes, fewer than its head");
        int rest = length - HeadBytes;
        StepFrameBuffers buffers = StepFramePool.Shared.Rent(rest);
        try
        {
            bool isHidden = ReadHead(link.ReadPayload(HeadBytes).Span, buffers);
            ReusableBytes payload = buffers.Payload;
            payload.Resize(0);
            while (payload.Length < rest)
            {
                int done = payload.Length;
                int most = Math.Max(Math.Max(payload.Capacity, FirstRoomBytes), 2 * done);
                payload.Resize(Math.Min(rest, most));
                for (int filled = done; filled < payload.Length;) filled += link.ReadSome(payload.Segment[filled..]);
            }

            return buffers.Complete(isHidden);
        }
        catch
        {
            buffers.Return();
            throw;
        }
    }

    /// <summary>Whether the raw form holds all that the message says.</summary>
    internal static bool CanSay(StepFrame message) =>
        message.SessionId.Length == SessionBounds.SessionIdBytes && message.InputCase is StepFrame.InputOneofCase.Tokens or StepFrame.InputOneofCase.Hidden;

    /// <summary>Writes what comes before the rows.</summary>
    internal static void WriteHead(StepFrame frame, IBufferWriter<byte> buffer)
    {
        Span<byte> head = buffer.GetSpan(HeadBytes);
        frame.SessionId.Span.CopyTo(head);
        BinaryPrimitives.WriteUInt64LittleEndian(head[16..], frame.Step);
        BinaryPrimitives.WriteUInt32LittleEndian(head[24..], frame.KvLength);
        BinaryPrimitives.WriteUInt32LittleEndian(head[28..], frame.Rows);
        BinaryPrimitives.WriteUInt32LittleEndian(head[32..], frame.FirstBlock);
        head[36] = (byte)((frame.Sample ? SampleFlag : 0) | (frame.InputCase == StepFrame.InputOneofCase.Hidden ? HiddenFlag : 0) | (frame.Acknowledge ? AcknowledgeFlag : 0));
        buffer.Advance(HeadBytes);
    }

    /// <summary>Reads what comes before the rows; whether these are hidden states.</summary>
    /// <exception cref="InvalidDataException">A flag is unknown.</exception>
    internal static bool ReadHead(ReadOnlySpan<byte> head, StepFrameBuffers buffers)
    {
        byte flags = head[36];
        if ((flags & ~(SampleFlag | HiddenFlag | AcknowledgeFlag)) != 0) throw new InvalidDataException($"a step with flags {flags:x2}");
        head[..SessionBounds.SessionIdBytes].CopyTo(buffers.SessionId);
        StepFrame frame = buffers.Frame;
        frame.Step = BinaryPrimitives.ReadUInt64LittleEndian(head[16..]);
        frame.KvLength = BinaryPrimitives.ReadUInt32LittleEndian(head[24..]);
        frame.Rows = BinaryPrimitives.ReadUInt32LittleEndian(head[28..]);
        frame.FirstBlock = BinaryPrimitives.ReadUInt32LittleEndian(head[32..]);
        frame.Sample = (flags & SampleFlag) != 0;
        frame.Acknowledge = (flags & AcknowledgeFlag) != 0;
        return (flags & HiddenFlag) != 0;
    }

    private static ReadOnlyMemory<byte> PayloadOf(StepFrame frame) =>
        frame.InputCase == StepFrame.InputOneofCase.Hidden ? frame.Hidden.Memory : frame.Tokens.Memory;
}
