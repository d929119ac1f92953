using System.Buffers;
using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>gRPC's marshallers over buffers of a link.</summary>
internal static class LinkMessages
{
    /// <summary>Sends a message as a data frame.</summary>
    public static void SendData<T>(this LinkConnection link, Marshaller<T> marshaller, T message, bool flush) => link.Send(
        LinkFrameKind.Data, (marshaller, message), static (state, buffer) => state.marshaller.ContextualSerializer(state.message, new Writing(buffer)), flush);

    /// <summary>Parses a data frame's payload.</summary>
    /// <exception cref="Google.Protobuf.InvalidProtocolBufferException">It is no message of that type.</exception>
    public static T Parse<T>(Marshaller<T> marshaller, ReadOnlyMemory<byte> payload) => marshaller.ContextualDeserializer(new Reading(payload));

    private sealed class Writing(IBufferWriter<byte> buffer) : SerializationContext
    {
        public override IBufferWriter<byte> GetBufferWriter() => buffer;

        public override void SetPayloadLength(int payloadLength)
        {
        }

        public override void Complete()
        {
        }

        public override void Complete(byte[] payload) => buffer.Write(payload);
    }

    private sealed class Reading(ReadOnlyMemory<byte> payload) : DeserializationContext
    {
        public override int PayloadLength => payload.Length;

        public override byte[] PayloadAsNewBuffer() => payload.ToArray();

        public override ReadOnlySequence<byte> PayloadAsReadOnlySequence() => new(payload);
    }
}
