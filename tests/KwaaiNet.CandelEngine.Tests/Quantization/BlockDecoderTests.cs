using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Codebooks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Quantization;

/// <summary>Decoded blocks against ggml's own results, and against a second implementation, to the last bit.</summary>
[Trait("Category", "Parity")]
public sealed class BlockDecoderTests(ITestOutputHelper output)
{
    public static TheoryData<GgmlType> Types => [.. Enum.GetValues<GgmlType>()];

    /// <summary>ggml's results, one for each type that has blocks; <c>ggml-blocks.py</c> beside them says how they were made.</summary>
    public static TheoryData<string> Recorded => [.. Vectors().Select(v => v.GetProperty("type").GetString()!)];

    [Theory]
    [MemberData(nameof(Recorded))]
    public void Blocks_decode_as_ggml_decodes_them(string name)
    {
        GgmlType type = Enum.Parse<GgmlType>(name);
        JsonElement vector = Vectors().Single(v => v.GetProperty("type").GetString() == name);
        byte[] blocks = Bytes(name, vector.GetProperty("blocks").GetInt32() * type.BlockBytes());

        byte[] decoded = Canonical(Decode(type, blocks));
        Assert.Equal(vector.GetProperty("first").GetString(), Convert.ToHexStringLower(decoded.AsSpan(0, 64)));
        Assert.Equal(vector.GetProperty("sha256").GetString(), Hash(decoded));

        byte[] ones = [.. Enumerable.Repeat((byte)0xFF, type.BlockBytes())];
        Assert.Equal(vector.GetProperty("ones").GetString(), Hash(Canonical(Decode(type, ones))));
        Assert.Equal(vector.GetProperty("zeros").GetString(), Hash(Canonical(Decode(type, new byte[type.BlockBytes()]))));
    }

    [Fact]
    public void Every_type_with_blocks_has_ggmls_results() =>
        Assert.Empty(Enum.GetValues<GgmlType>().Where(t => t.BlockLength() > 1).Select(t => t.ToString()).Except(Vectors().Select(v => v.GetProperty("type").GetString())));

    [Theory]
    [MemberData(nameof(Types))]
    public void Blocks_decode_as_a_second_implementation_decodes_them(GgmlType type)
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        for (int i = 0; i < 40; i++)
        {
            var block = new byte[type.BlockBytes()];
            random.NextBytes(block);
            if (i % 4 == 1) Array.Fill(block, (byte)(i % 8 == 1 ? 0xFF : 0x80));
            if (i % 4 == 2) ExtremeScales(block, random);
            float[] values = Decode(type, block);
            FormatReference reference = new(type, block);
            for (int j = 0; j < values.Length; j++)
                Assert.True(FormatReference.Same(reference[j], values[j]), $"{type}, number {j} of {Convert.ToHexString(block)}: {values[j]:R}, expected {reference[j]:R}");
        }
    }

    [Fact]
    public void Every_half_is_its_own_value()
    {
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
            Assert.True(FormatReference.Same((float)BitConverter.UInt16BitsToHalf((ushort)bits), BlockBits.Half(bits)), $"{bits:X4}");
    }

    [Fact]
    public void Codebooks_are_ggmls()
    {
        // SHA-256 over the points' coordinates as bytes, from the tables iq2xxs_grid, iq2xs_grid, iq2s_grid, iq3xxs_grid, iq3s_grid and iq1s_grid.
        (Codebook, string)[] books =
        [
            (Codebook.IQ2_XXS, "05826b5d3e472a3a78f196be62ac78acf81df0f909626e12ab9fa2a5d490dd54"),
            (Codebook.IQ2_XS, "06e47aaca60b4dc1d9b5a3f34540437058a6b142b4d7a59d5ded769b4d1bf1de"),
            (Codebook.IQ2_S, "e1aa1473412b0552c2174c30ef22ab4073f6a181b85a17056e8249bd2932fd88"),
            (Codebook.IQ3_XXS, "46e35f5a997efdee6c99ce57854c8a0d4f0ff8ca57e5e8a60c0793ea580acf5d"),
            (Codebook.IQ3_S, "bd1af4945a1717c65610b0284e4628b9a1ba3b306fae3a06f6e5f597356e349f"),
            (Codebook.IQ1, "07540ffc1aeaf6ad4d97e96b0fcc765aae39671d4ae4a27bbd0e796fde167c6a"),
        ];
        foreach ((Codebook book, string expected) in books)
            Assert.Equal(expected, Hash([.. book.Coordinates.ToArray().Select(c => (byte)c)]));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Lengths_that_do_not_fit_are_refused(GgmlType type)
    {
        var bytes = new byte[2 * type.BlockBytes()];
        var values = new float[2 * type.BlockLength()];
        BlockDecoder.Decode(type, bytes, values);
        BlockDecoder.Decode(type, [], []);
        Assert.Throws<ArgumentException>("blocks", () => BlockDecoder.Decode(type, bytes.AsSpan(1), values));
        Assert.Throws<ArgumentException>("values", () => BlockDecoder.Decode(type, bytes, values.AsSpan(1)));
        Assert.Throws<ArgumentException>("values", () => BlockDecoder.Decode(type, bytes, new float[values.Length + 1]));
        Assert.Throws<ArgumentOutOfRangeException>("type", () => BlockDecoder.Decode((GgmlType)4, bytes, values));
    }

    private static float[] Decode(GgmlType type, byte[] blocks)
    {
        var values = new float[blocks.Length / type.BlockBytes() * type.BlockLength()];
        BlockDecoder.Decode(type, blocks, values);
        return values;
    }

    // Zero, subnormal, largest, infinite and NaN wherever a format may keep a binary16.
    private static void ExtremeScales(byte[] block, Random random)
    {
        ReadOnlySpan<ushort> halves = [0x0000, 0x8000, 0x0001, 0x83FF, 0x7BFF, 0x7C00, 0xFC00, 0x7E00];
        foreach (int at in (int[])[0, 2, block.Length - 4, block.Length - 2])
        {
            if (at >= 0 && at + 2 <= block.Length)
                System.Buffers.Binary.BinaryPrimitives.WriteUInt16LittleEndian(block.AsSpan(at), halves[random.Next(halves.Length)]);
        }
    }

    private static JsonElement[] Vectors()
    {
        using Stream file = typeof(BlockDecoderTests).Assembly.GetManifestResourceStream("ggml-blocks.json")!;
        return [.. JsonDocument.Parse(file).RootElement.EnumerateArray()];
    }

    private static byte[] Bytes(string name, int length)
    {
        List<byte> bytes = [];
        for (int n = 0; bytes.Count < length; n++)
            bytes.AddRange(SHA256.HashData(Encoding.UTF8.GetBytes($"{name}:{n}")));
        return [.. bytes[..length]];
    }

    private static byte[] Canonical(float[] values) =>
        [.. values.SelectMany(v => BitConverter.GetBytes(float.IsNaN(v) ? 0x7FC00000 : BitConverter.SingleToInt32Bits(v)))];

    private static string Hash(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));
}
