using System.Buffers;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Protocol.Tests.Links;

/// <summary>The token path's own forms say what protobuf says, or leave it to protobuf; and believe nothing.</summary>
public sealed class LinkCodecTests(ITestOutputHelper output)
{
    private readonly Random _random = Seeded(output);

    [Fact]
    public void A_step_says_the_same_in_either_form_whatever_fields_it_has()
    {
        int raw = 0;
        for (int i = 0; i < 2_000; i++)
        {
            StepFrame frame = new();
            Fill(frame);
            if (!StepFrameCodec.CanSay(frame)) continue;
            raw++;
            ArrayBufferWriter<byte> head = new();
            StepFrameCodec.WriteHead(frame, head);
            StepFrameBuffers buffers = StepFramePool.Shared.Rent(0);
            bool isHidden = StepFrameCodec.ReadHead(head.WrittenSpan, buffers);
            ByteString rows = isHidden ? frame.Hidden : frame.Tokens;
            buffers.Payload.Resize(rows.Length);
            rows.Span.CopyTo(buffers.Payload.Span);
            StepFrame read = buffers.Complete(isHidden);
            Assert.Equal(frame, read);
            read.Release();
        }

        Assert.True(raw > 100, $"{raw} frames were of the kind this is about");
    }

    [Fact]
    public void A_token_says_the_same_in_either_form_whatever_fields_it_has()
    {
        int raw = 0;
        ControlEventCodec codec = new();
        for (int i = 0; i < 2_000; i++)
        {
            ControlEvent token = new() { Token = new TokenSampled() };
            Fill(token.Token);
            if (!ControlEventCodec.CanSay(token)) continue;
            raw++;
            ArrayBufferWriter<byte> bytes = new();
            ControlEventCodec.Write(token.Token, bytes);
            Assert.Equal(token, codec.Read(bytes.WrittenSpan, isPassing: i % 2 == 0));
        }

        Assert.True(raw > 100, $"{raw} tokens were of the kind this is about");
    }

    [Fact]
    public void Random_bytes_are_a_message_or_refused()
    {
        ControlEventCodec codec = new();
        byte[] token = new byte[ControlEventCodec.TokenBytes];
        byte[] head = new byte[StepFrameCodec.HeadBytes];
        for (int i = 0; i < 20_000; i++)
        {
            _random.NextBytes(token);
            _random.NextBytes(head);
            Assert.True(Reads(() => codec.Read(token, isPassing: true)) == (token[^1] <= 1));
            StepFrameBuffers buffers = StepFramePool.Shared.Rent(0);
            Assert.True(Reads(() => StepFrameCodec.ReadHead(head, buffers)) == (head[^1] <= 7));
            buffers.Return();
        }
    }

    [Fact]
    public void A_buffer_given_back_twice_is_lent_once()
    {
        StepFramePool pool = new();
        StepFrameBuffers first = pool.Rent(10);
        first.Return();
        first.Return();
        Assert.NotSame(pool.Rent(10), pool.Rent(10));
    }

    private static Random Seeded(ITestOutputHelper output)
    {
        int seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");
        return new Random(seed);
    }

    private static bool Reads(Action read)
    {
        try
        {
            read();
            return true;
        }
        catch (InvalidDataException)
        {
            return false;
        }
    }

    // Every field the message has, now and later: one that a codec does not know of would be missing from what it reads.
    private void Fill(IMessage message)
    {
        foreach (FieldDescriptor field in message.Descriptor.Fields.InDeclarationOrder())
        {
            if (_random.Next(4) == 0) continue;
            object? value = field.FieldType switch
            {
                FieldType.Bytes => Bytes(field.Name == "session_id" && _random.Next(8) != 0 ? 16 : _random.Next(40)),
                FieldType.UInt32 => (uint)_random.NextInt64(uint.MaxValue + 1L),
                FieldType.UInt64 => (ulong)_random.NextInt64(long.MinValue, long.MaxValue),
                FieldType.Bool => _random.Next(2) == 0,
                FieldType.Message when _random.Next(4) == 0 => Activator.CreateInstance(field.MessageType.ClrType),
                FieldType.Message => null,
                _ => throw new NotSupportedException($"{field.FullName}: this test knows no {field.FieldType}; teach it, and the codec."),
            };
            if (value is not null) field.Accessor.SetValue(message, value);
        }
    }

    private ByteString Bytes(int length)
    {
        byte[] bytes = new byte[length];
        _random.NextBytes(bytes);
        return ByteString.CopyFrom(bytes);
    }
}
