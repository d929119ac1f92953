using System.Buffers.Binary;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Protocol.Links;

/// <summary>Sampled tokens on links. All other events, and tokens with log probabilities, go as protobuf.</summary>
/// <remarks>
/// Little-endian, 33 bytes:
/// <code>
///  0  session   [16]
/// 16  step      u64
/// 24  position  u32
/// 28  token     u32
/// 32  flags     u8    1: last; no others
/// </code>
/// </remarks>
internal sealed class ControlEventCodec : ILinkCodec<ControlEvent>
{
    /// <summary>Bytes of a token.</summary>
    public const int TokenBytes = SessionBounds.SessionIdBytes + 8 + (2 * 4) + 1;

    private const byte LastFlag = 1;

    private readonly ReusableBytes _sessionId = new();
    private readonly ControlEvent _passing = new() { Token = new TokenSampled() };

    /// <inheritdoc/>
    public bool TrySend(LinkConnection link, ControlEvent message, bool flush)
    {
        if (!CanSay(message)) return false;
        link.Send(LinkFrameKind.Raw, message.Token, static (token, buffer) => Write(token, buffer), flush);
        return true;
    }

    /// <inheritdoc/>
    public ControlEvent Read(LinkConnection link, int length, bool isPassing) =>
        length == TokenBytes ? Read(link.ReadPayload(length).Span, isPassing) : throw new InvalidDataException($"a token of {length} bytes, not {TokenBytes}");

    /// <summary>Whether the raw form holds all that the message says.</summary>
    internal static bool CanSay(ControlEvent message) =>
        message.EventCase == ControlEvent.EventOneofCase.Token && message.Token.Logprobs is null && message.Token.SessionId.Length == SessionBounds.SessionIdBytes;

    /// <summary>Writes a token.</summary>
    internal static void Write(TokenSampled token, System.Buffers.IBufferWriter<byte> buffer)
    {
        Span<byte> bytes = buffer.GetSpan(TokenBytes);
        token.SessionId.Span.CopyTo(bytes);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[16..], token.Step);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[24..], token.Position);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes[28..], token.Token);
        bytes[32] = token.Last ? LastFlag : (byte)0;
        buffer.Advance(TokenBytes);
    }

    /// <summary>Reads a token.</summary>
    /// <param name="bytes">[<see cref="TokenBytes"/>].</param>
    /// <param name="isPassing">See <see cref="ILinkCodec{T}.Read"/>.</param>
    /// <exception cref="InvalidDataException">A flag is unknown.</exception>
    internal ControlEvent Read(ReadOnlySpan<byte> bytes, bool isPassing)
    {
        byte flags = bytes[32];
        if ((flags & ~LastFlag) != 0) throw new InvalidDataException($"a token with flags {flags:x2}");
        ControlEvent read = isPassing ? _passing : new ControlEvent { Token = new TokenSampled() };
        ReusableBytes sessionId = isPassing ? _sessionId : new ReusableBytes();
        sessionId.Resize(SessionBounds.SessionIdBytes);
        bytes[..SessionBounds.SessionIdBytes].CopyTo(sessionId.Span);
        TokenSampled token = read.Token;
        token.SessionId = sessionId.Seal();
        token.Step = BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]);
        token.Position = BinaryPrimitives.ReadUInt32LittleEndian(bytes[24..]);
        token.Token = BinaryPrimitives.ReadUInt32LittleEndian(bytes[28..]);
        token.Last = (flags & LastFlag) != 0;
        return read;
    }
}
