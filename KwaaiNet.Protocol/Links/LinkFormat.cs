using System.Buffers.Binary;

namespace KwaaiNet.Protocol.Links;

/// <summary>The framing of links: what travels inside the TLS connection.</summary>
/// <remarks>
/// One connection is one duplex call of a gRPC service, so that the same services and clients run over it; it exists because a token
/// crosses it in a quarter of the time, and of the processor's work, that HTTP/2 takes (docs/performance.md).
/// <code>
/// ALPN          "kwaainet-link/1", both certificates as between all nodes
/// frame         length u32 little-endian (of what follows the kind) | kind u8 | payload [length]
/// kind 1 call   UTF-8 of the method, "/kwaainet.v1.Shard/Steps"; the client's first frame, once
/// kind 2 data   one protobuf message
/// kind 3 end    empty; the client sends nothing more
/// kind 4 status u8 gRPC status code | UTF-8 detail; the server's last frame
/// kind 5 beat   empty; every second from both sides, whatever else they do: who hears nothing for three takes the other for dead
/// kind 6 raw    one message of the token path, without protobuf: <see cref="StepFrameCodec"/>, <see cref="ControlEventCodec"/>
/// </code>
/// </remarks>
internal static class LinkFormat
{
    /// <summary>The protocol's name in the TLS handshake.</summary>
    public const string Protocol = "kwaainet-link/1";

    /// <summary>Bytes before a payload.</summary>
    public const int HeaderBytes = 5;

    /// <summary>Longest method name and longest detail of a status, in bytes.</summary>
    public const int MaxTextBytes = 4096;

    /// <summary>Writes the header of a frame.</summary>
    public static void WriteHeader(Span<byte> header, LinkFrameKind kind, int length)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(header, (uint)length);
        header[4] = (byte)kind;
    }

    /// <summary>Reads and checks the header of a frame.</summary>
    /// <param name="header">[<see cref="HeaderBytes"/>].</param>
    /// <param name="maxMessage">Longest message, in bytes.</param>
    /// <exception cref="InvalidDataException">The kind is unknown or the length is more than the kind may have.</exception>
    public static (LinkFrameKind Kind, int Length) ReadHeader(ReadOnlySpan<byte> header, int maxMessage)
    {
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(header);
        LinkFrameKind kind = (LinkFrameKind)header[4];
        uint most = kind switch
        {
            LinkFrameKind.Data or LinkFrameKind.Raw => (uint)maxMessage,
            LinkFrameKind.Call or LinkFrameKind.Status => MaxTextBytes,
            LinkFrameKind.End or LinkFrameKind.Beat => 0,
            _ => throw new InvalidDataException($"a frame of unknown kind {header[4]}"),
        };
        return length <= most ? (kind, (int)length) : throw new InvalidDataException($"a frame of kind {kind} with {length} bytes, more than {most}");
    }
}
