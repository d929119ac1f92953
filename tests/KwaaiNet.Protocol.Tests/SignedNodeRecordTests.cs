using Google.Protobuf;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.Protocol.Tests;

public sealed class SignedNodeRecordTests : IDisposable
{
    private readonly NodeIdentity _identity = NodeIdentity.Create();

    public void Dispose() => _identity.Dispose();

    [Fact]
    public void A_signed_record_is_believed_and_its_bytes_are_kept()
    {
        SignedNodeRecord signed = SignedNodeRecord.Sign(Samples.Record(_identity), _identity);
        SignedNodeRecord read = SignedNodeRecord.Verify(SignedRecord.Parser.ParseFrom(signed.Wire.ToByteArray()));
        Assert.Equal(signed.Wire, read.Wire);
        Assert.Equal(signed.Record, read.Record);
        Assert.Equal(_identity.NodeId, read.NodeId);
    }

    [Fact]
    public void Fields_of_a_later_version_survive()
    {
        // Field 200, a varint: unknown to this build.
        byte[] bytes = [.. Samples.Record(_identity).ToByteArray(), 0xC0, 0x0C, 0x2A];
        SignedRecord wire = Sign(bytes);
        Assert.Equal(bytes, SignedNodeRecord.Verify(wire).Wire.Record.ToByteArray());
        Assert.Equal(bytes, SignedNodeRecord.Verify(wire).Record.ToByteArray());
    }

    [Fact]
    public void A_record_of_somebody_else_is_not_signed()
    {
        using NodeIdentity other = NodeIdentity.Create();
        Assert.Throws<NodeRecordException>(() => SignedNodeRecord.Sign(Samples.Record(other), _identity));
    }

    [Fact]
    public void A_signature_by_another_key_is_refused()
    {
        using NodeIdentity other = NodeIdentity.Create();
        NodeRecord record = Samples.Record(other);
        NodeRecordException error = Assert.Throws<NodeRecordException>(() => SignedNodeRecord.Verify(Sign(record.ToByteArray())));
        Assert.StartsWith("signature", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_signature_without_the_domain_in_front_is_refused()
    {
        ByteString bytes = Samples.Record(_identity).ToByteString();
        SignedRecord wire = new() { Record = bytes, Signature = ByteString.CopyFrom(_identity.Sign(bytes.Span)) };
        Assert.Throws<NodeRecordException>(() => SignedNodeRecord.Verify(wire));
    }

    public static TheoryData<string, Action<NodeRecord>> OutOfBounds => new()
    {
        { "version", r => r.Version = 2 },
        { "sequence", r => r.Sequence = 0 },
        { "ttl_ms", r => r.TtlMs = 0 },
        { "ttl_ms", r => r.TtlMs = uint.MaxValue },
        { "issued_unix_ms", r => r.IssuedUnixMs += 6 * 60_000 },
        { "issued_unix_ms", r => r.IssuedUnixMs = long.MaxValue },
        { "issued_unix_ms", r => r.IssuedUnixMs = -1 },
        { "network", r => r.Network = "" },
        { "network", r => r.Network = new string('n', 65) },
        { "network", r => r.Network = "a\u001b[31m" },
        { "region", r => r.Region = "eu\n" },
        { "endpoints", r => r.Endpoints.Add("http://127.0.0.1:1") },
        { "endpoints", r => r.Endpoints.Add("https://user@127.0.0.1:1") },
        { "endpoints", r => r.Endpoints.Add("https://127.0.0.1:1/path") },
        { "endpoints", r => r.Endpoints.Add("https://127.0.0.1:99999") },
        { "endpoints", r => r.Endpoints.Add("no address") },
        { "endpoints", r => r.Endpoints.Add(Enumerable.Repeat("https://127.0.0.1:1", 8)) },
        { "http_endpoint", r => r.HttpEndpoint = "https://127.0.0.1:1" },
        { "protocol_versions", r => r.ProtocolVersions.Add(Enumerable.Repeat(1u, 17)) },
        { "memory_bytes", r => r.MemoryBytes = -1 },
        { "serving", r => r.Serving.Add(Enumerable.Range(0, 64).Select(_ => Samples.Served())) },
        { "serving.model", r => r.Serving[0].Model = "" },
        { "serving.model", r => r.Serving[0].Model = new string('m', 257) },
        { "serving.weights_hash", r => r.Serving[0].WeightsHash = new string('A', 64) },
        { "serving.weights_hash", r => r.Serving[0].WeightsHash = new string('a', 63) },
        { "serving.block_count", r => r.Serving[0].BlockCount = 4097 },
        { "serving.block_count", r => r.Serving[0].BlockCount = 0 },
        { "serving.end_block", r => r.Serving[0].EndBlock = 9 },
        { "serving.end_block", r => r.Serving[0].FirstBlock = 4 },
        { "serving.prefill_tokens_per_second", r => r.Serving[0].PrefillTokensPerSecond = double.NaN },
        { "serving.decode_tokens_per_second", r => r.Serving[0].DecodeTokensPerSecond = double.PositiveInfinity },
        { "serving.decode_tokens_per_second", r => r.Serving[0].DecodeTokensPerSecond = -1 },
        { "serving.kv_free_bytes", r => r.Serving[0].KvFreeBytes = -1 },
        { "serving.weight_bytes", r => r.Serving[0].WeightBytes = -1 },
        { "serving.context_length", r => r.Serving[0].ContextLength = uint.MaxValue },
        { "serving.width", r => r.Serving[0].Width = uint.MaxValue },
        { "node_id", r => r.NodeId = "did:key:zabc" },
        { "record", r => r.Software = new string('s', 70_000) },
    };

    [Theory]
    [MemberData(nameof(OutOfBounds), DisableDiscoveryEnumeration = true)]
    public void What_is_out_of_bounds_is_refused_and_named(string field, Action<NodeRecord> change)
    {
        NodeRecord record = Samples.Record(_identity);
        change(record);
        NodeRecordException error = Assert.Throws<NodeRecordException>(() => SignedNodeRecord.Verify(Sign(record.ToByteArray())));
        Assert.StartsWith(field + " ", error.Message, StringComparison.Ordinal);
        Assert.True(error.Message.Length < 300, error.Message);
        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Fact]
    public void The_future_is_judged_by_the_given_clock()
    {
        FakeTimeProvider time = new(DateTimeOffset.UtcNow.AddDays(-1));
        SignedNodeRecord signed = SignedNodeRecord.Sign(Samples.Record(_identity), _identity);
        Assert.Throws<NodeRecordException>(() => SignedNodeRecord.Verify(signed.Wire, time));
        time.Advance(TimeSpan.FromDays(1));
        Assert.Equal(_identity.NodeId, SignedNodeRecord.Verify(signed.Wire, time).NodeId);
    }

    [Fact]
    public void Damaged_bytes_are_refused_and_never_anything_else_happens()
    {
        byte[] good = SignedNodeRecord.Sign(Samples.Record(_identity), _identity).Wire.ToByteArray();
        Random random = new(20260101);
        for (int round = 0; round < 5_000; round++)
        {
            byte[] bytes = [.. good];
            for (int flips = random.Next(1, 5); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
            bytes = bytes[..random.Next(bytes.Length / 2, bytes.Length + 1)];
            SignedRecord wire;
            try
            {
                wire = SignedRecord.Parser.ParseFrom(bytes);
            }
            catch (InvalidProtocolBufferException)
            {
                continue;
            }

            try
            {
                // What is believed in spite of a flipped bit says exactly what was signed.
                Assert.Equal(_identity.NodeId, SignedNodeRecord.Verify(wire).NodeId);
            }
            catch (NodeRecordException)
            {
            }
        }
    }

    [Fact]
    public void Signed_nonsense_is_refused_and_never_anything_else_happens()
    {
        byte[] good = Samples.Record(_identity).ToByteArray();
        Random random = new(20260102);
        for (int round = 0; round < 2_000; round++)
        {
            byte[] bytes = [.. good];
            for (int flips = random.Next(1, 4); flips > 0; flips--)
                bytes[random.Next(bytes.Length)] ^= (byte)random.Next(1, 256);
            try
            {
                SignedNodeRecord.Verify(Sign(bytes));
            }
            catch (NodeRecordException)
            {
            }
        }
    }

    private SignedRecord Sign(byte[] record) => new()
    {
        Record = ByteString.CopyFrom(record),
        Signature = ByteString.CopyFrom(_identity.Sign([.. "kwaainet-node-record-v1\0"u8, .. record])),
    };
}
