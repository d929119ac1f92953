using System.Buffers.Binary;
using Google.Protobuf;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>A session's 16 random bytes, as a key.</summary>
/// <param name="Value">The bytes read big-endian.</param>
internal readonly record struct SessionId(UInt128 Value)
{
    /// <summary>Bytes in an id.</summary>
    public const int Length = SessionBounds.SessionIdBytes;

    /// <summary>Reads the bytes a frame carries; false for any other length.</summary>
    public static bool TryRead(ByteString bytes, out SessionId id)
    {
        if (bytes.Length != Length)
        {
            id = default;
            return false;
        }

        id = new SessionId(BinaryPrimitives.ReadUInt128BigEndian(bytes.Span));
        return true;
    }

    public override string ToString() => Value.ToString("x32", System.Globalization.CultureInfo.InvariantCulture);
}
