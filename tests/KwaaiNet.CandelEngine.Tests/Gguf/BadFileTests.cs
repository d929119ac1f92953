using System.Buffers.Binary;
using System.Text;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Gguf;

/// <summary>A file that lies in one place, and what the error must say of it.</summary>
[Trait("Category", "BadInput")]
public sealed class BadFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_file_cut_anywhere_is_truncated()
    {
        byte[] bytes = SmallModel.Build();
        (string name, long[] shape, GgmlType type) = SmallModel.Tensors[^1];
        int needed;
        int dataStart;
        using (GgufFile whole = GgufFile.Open(_folder.Write("whole.gguf", bytes)))
        {
            // Past the last tensor lies padding, which nobody misses.
            whole.TryGetTensor(name, out TensorData last);
            whole.TryGetTensor(SmallModel.Tensors[0].Name, out TensorData first);
            dataStart = bytes.Length - SmallModel.Tensors.Sum(t => (SmallModel.BytesOf(t.Shape, t.Type) + 31) & ~31);
            needed = dataStart + (int)(last.Address - first.Address) + SmallModel.BytesOf(shape, type);
        }

        // Every byte of the header, and of the data the places where something ends.
        int[] dataEnds = [.. Enumerable.Range(dataStart, bytes.Length - dataStart).Where(at => at % 1000 == 0 || Math.Abs(at - needed) < 40)];
        foreach (int length in Enumerable.Range(0, dataStart).Concat(dataEnds))
        {
            string path = _folder.Write("cut.gguf", bytes.AsSpan(0, length));
            if (length >= needed)
                ModelFile.Open(path).Dispose();
            else
                Assert.Contains(path, Assert.Throws<ModelFormatException>(() => ModelFile.Open(path)).Message);
        }
    }

    [Theory]
    [InlineData("magic", "does not start with the letters GGUF")]
    [InlineData("version 1", "GGUF version 1")]
    [InlineData("version 4", "Update KwaaiNet")]
    [InlineData("big-endian", "big-endian")]
    [InlineData("tensor count", "18446744073709551615 tensors")]
    [InlineData("metadata count", "18446744073709551615 metadata values")]
    [InlineData("key length", "the key of metadata value 0")]
    [InlineData("key not UTF-8", "is not UTF-8")]
    [InlineData("duplicate key", "'a' is there twice")]
    [InlineData("value type", "the type 99")]
    [InlineData("string length", "truncated")]
    [InlineData("bool", "a truth value of 2")]
    [InlineData("array type", "an array of the type 13")]
    [InlineData("array count", "an array of 18446744073709551615 elements")]
    [InlineData("array of strings count", "an array of 1000000 elements")]
    [InlineData("array string length", "truncated")]
    [InlineData("deep arrays", "nests arrays")]
    [InlineData("alignment 0", "alignment is 0")]
    [InlineData("alignment 48", "alignment is 48")]
    [InlineData("no dimensions", "0 dimensions")]
    [InlineData("5 dimensions", "5 dimensions")]
    [InlineData("dimension 0", "dimension of length 0")]
    [InlineData("dimension overflow", "dimension of length 9223372036854775808")]
    [InlineData("rows overflow", "more than 2147483647 rows")]
    [InlineData("tensor type I32", "'t' is stored as I32")]
    [InlineData("tensor type 77", "'t' is stored as number 77")]
    [InlineData("row of no whole blocks", "blocks of 32")]
    [InlineData("offset unaligned", "not a multiple of the alignment")]
    [InlineData("offset outside", "truncated: tensor 't'")]
    [InlineData("offset wraps", "truncated: tensor 't'")]
    [InlineData("tensor too long", "truncated: tensor 't'")]
    [InlineData("duplicate tensor", "'t' is there twice")]
    [InlineData("overlapping tensors", "overlap")]
    [InlineData("long tensor name", "at most 64")]
    public void A_lie_is_named(string lie, string said)
    {
        string path = _folder.Write("lie.gguf", Lie(lie));
        string message = Assert.Throws<ModelFormatException>(() => GgufFile.Open(path)).Message;
        Assert.Contains(said, message);
        Assert.StartsWith(path, message);
    }

    [Fact]
    public void The_raw_file_is_good_without_a_lie() => GgufFile.Open(_folder.Write("good.gguf", Lie("none"))).Dispose();

    [Theory]
    [InlineData("llama.block_count", 0u)]
    [InlineData("llama.block_count", 3_000_000_000u)]
    [InlineData("llama.embedding_length", 0u)]
    [InlineData("llama.embedding_length", 33u)]
    [InlineData("llama.attention.head_count", 0u)]
    [InlineData("llama.attention.head_count", 5u)]
    [InlineData("llama.attention.head_count_kv", 3u)]
    [InlineData("llama.attention.head_count_kv", 8u)]
    [InlineData("llama.rope.dimension_count", 7u)]
    [InlineData("llama.rope.dimension_count", 10u)]
    [InlineData("llama.feed_forward_length", 0u)]
    [InlineData("llama.context_length", 0u)]
    public void A_dimension_that_cannot_be_is_refused(string key, uint value)
    {
        string path = _folder.Write("shape.gguf", SmallModel.Build(replace: new Dictionary<string, uint> { [key] = value }));
        Assert.Contains(path, Assert.Throws<ModelFormatException>(() => ModelFile.Open(path)).Message);
    }

    [Theory]
    [InlineData("llama.rope.scaling.type", "RoPE scaling ('dynamic')")]
    [InlineData("llama.expert_group_count", "groups of experts")]
    [InlineData("split.count", "one of 8 parts of a split model")]
    public void What_is_not_run_yet_is_named(string key, string said)
    {
        byte[] bytes = SmallModel.Build(writer =>
        {
            if (key.EndsWith("type", StringComparison.Ordinal))
                writer.Add(key, "dynamic");
            else
                writer.Add(key, 8u);
            if (key.StartsWith("llama.expert", StringComparison.Ordinal))
            {
                writer.Add("llama.expert_count", 16u);
                writer.Add("llama.expert_used_count", 2u);
            }
        });
        Assert.Contains(said, Assert.Throws<ModelFormatException>(() => ModelFile.Open(_folder.Write("feature.gguf", bytes))).Message);
    }

    [Fact]
    public void An_embedding_of_other_rows_than_tokens_is_refused()
    {
        byte[] bytes = SmallModel.Build(tensors: [("token_embd.weight", [32, 10], GgmlType.F32)]);
        Assert.Contains("the embedding has 10 rows", Assert.Throws<ModelFormatException>(() => ModelFile.Open(_folder.Write("rows.gguf", bytes))).Message);
    }

    [Theory]
    [InlineData("qwen9", "'qwen9'")]
    [InlineData(null, "'general.architecture' is missing")]
    public void Another_architecture_is_named(string? architecture, string said)
    {
        using MemoryStream stream = new();
        using (GgufWriter writer = new(stream, leaveOpen: true))
        {
            if (architecture is not null)
                writer.Add("general.architecture", architecture);
            writer.Finish();
        }

        Assert.Contains(said, Assert.Throws<ModelFormatException>(() => ModelFile.Open(_folder.Write("architecture.gguf", stream.ToArray()))).Message);
    }

    /// <summary>A file of one metadata value and one tensor, every field of which can be made to lie.</summary>
    private static byte[] Lie(string lie)
    {
        MemoryStream file = new();
        file.Write(lie == "magic" ? "GGML"u8 : "GGUF"u8);
        Write32(lie switch { "version 1" => 1u, "version 4" => 4u, "big-endian" => BinaryPrimitives.ReverseEndianness(3u), _ => 3u });
        Write64(lie switch { "tensor count" => ulong.MaxValue, "duplicate tensor" or "overlapping tensors" => 2, _ => 1 });
        Write64(lie switch { "metadata count" => ulong.MaxValue, "duplicate key" => 2, _ => 1 });

        byte[] key = lie.StartsWith("alignment", StringComparison.Ordinal) ? "general.alignment"u8.ToArray() : lie == "key not UTF-8" ? [0xFF] : "a"u8.ToArray();
        for (int i = 0; i < (lie == "duplicate key" ? 2 : 1); i++)
        {
            Write64(lie == "key length" ? ulong.MaxValue : (ulong)key.Length);
            file.Write(key);
            WriteValue();
        }

        for (int i = 0; i < (lie is "duplicate tensor" or "overlapping tensors" ? 2 : 1); i++)
        {
            byte[] name = Encoding.UTF8.GetBytes(lie == "long tensor name" ? new string('t', 65) : i == 1 && lie == "overlapping tensors" ? "u" : "t");
            Write64((ulong)name.Length);
            file.Write(name);
            ulong[] dimensions = lie switch
            {
                "no dimensions" => [],
                "5 dimensions" => [1, 1, 1, 1, 1],
                "dimension 0" => [32, 0],
                "dimension overflow" => [32, 1UL << 63],
                "rows overflow" => [32, 1 << 20, 1 << 20],
                "row of no whole blocks" => [31, 1],
                "tensor too long" => [32, 1000],
                _ => [32, 1],
            };
            Write32((uint)dimensions.Length);
            foreach (ulong dimension in dimensions)
                Write64(dimension);
            Write32(lie switch { "tensor type I32" => 26u, "tensor type 77" => 77u, "row of no whole blocks" => 8u, _ => 0u });
            Write64(lie switch { "offset unaligned" => 4, "offset outside" => 1 << 20, "offset wraps" => ulong.MaxValue - 31, _ => 0 });
        }

        file.Write(new byte[(32 - (file.Length % 32)) % 32]);
        file.Write(new byte[128]);
        return file.ToArray();

        void WriteValue()
        {
            switch (lie)
            {
                case "value type":
                    Write32(99);
                    break;
                case "string length":
                    Write32(8);
                    Write64(1 << 20);
                    break;
                case "bool":
                    Write32(7);
                    file.WriteByte(2);
                    break;
                case "array type":
                    Write32(9);
                    Write32(13);
                    Write64(1);
                    break;
                case "array count":
                    Write32(9);
                    Write32(4);
                    Write64(ulong.MaxValue);
                    break;
                case "array of strings count":
                    Write32(9);
                    Write32(8);
                    Write64(1_000_000);
                    break;
                case "array string length":
                    Write32(9);
                    Write32(8);
                    Write64(1);
                    Write64(ulong.MaxValue);
                    break;
                case "deep arrays":
                    Write32(9);
                    for (int depth = 0; depth < 10; depth++)
                    {
                        Write32(9);
                        Write64(1);
                    }

                    break;
                default:
                    Write32(4);
                    Write32(lie == "alignment 0" ? 0u : lie == "alignment 48" ? 48u : 32u);
                    break;
            }
        }

        void Write32(uint value)
        {
            Span<byte> bytes = stackalloc byte[4];
            BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
            file.Write(bytes);
        }

        void Write64(ulong value)
        {
            Span<byte> bytes = stackalloc byte[8];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
            file.Write(bytes);
        }
    }
}
