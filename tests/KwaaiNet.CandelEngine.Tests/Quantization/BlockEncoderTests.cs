using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Quantization;

/// <summary>What encoding loses, and what it refuses.</summary>
public sealed class BlockEncoderTests(ITestOutputHelper output)
{
    public static TheoryData<GgmlType> Types => [.. Enum.GetValues<GgmlType>()];

    /// <summary>
    /// The root of squared error over the root of squares, for normally distributed weights: what the bits of a format explain, a tenth
    /// above what was measured. ggml's own encoders without an importance matrix: Q2_K 0.29, Q3_K 0.15, Q4_K 0.071, Q5_K 0.036, Q6_K 0.018,
    /// IQ4_XS 0.077, IQ3_S 0.16, IQ2_S 0.26.
    /// </summary>
    public static TheoryData<GgmlType, double> Losses => new()
    {
        { GgmlType.F32, 0 },
        { GgmlType.F16, 0.0003 },
        { GgmlType.BF16, 0.002 },
        { GgmlType.Q8_0, 0.006 },
        { GgmlType.Q6_K, 0.020 },
        { GgmlType.Q5_K, 0.041 },
        { GgmlType.Q5_1, 0.043 },
        { GgmlType.Q5_0, 0.047 },
        { GgmlType.Q4_K, 0.080 },
        { GgmlType.Q4_1, 0.086 },
        { GgmlType.IQ4_NL, 0.082 },
        { GgmlType.IQ4_XS, 0.083 },
        { GgmlType.Q4_0, 0.095 },
        { GgmlType.MXFP4, 0.125 },
        { GgmlType.Q3_K, 0.16 },
        { GgmlType.IQ3_S, 0.15 },
        { GgmlType.IQ3_XXS, 0.20 },
        { GgmlType.Q2_K, 0.30 },
        { GgmlType.IQ2_S, 0.26 },
        { GgmlType.IQ2_XS, 0.31 },
        { GgmlType.IQ2_XXS, 0.36 },
        { GgmlType.IQ1_M, 0.45 },
        { GgmlType.IQ1_S, 0.49 },
        { GgmlType.TQ1_0, 0.47 },
        { GgmlType.TQ2_0, 0.47 },
    };

    [Theory]
    [MemberData(nameof(Losses))]
    public void The_loss_is_what_the_format_explains(GgmlType type, double most)
    {
        Random random = Seeded();
        float[] values = Normal(random, 4096, 0.02);
        float[] decoded = RoundTrip(type, values);
        double loss = Math.Sqrt(Square(values, decoded) / Square(values, new float[values.Length]));
        output.WriteLine($"{type} {loss:F4}");
        Assert.InRange(loss, 0, most);
    }

    [Fact]
    public void Every_type_has_a_loss() => Assert.Empty(Enum.GetValues<GgmlType>().Except(Losses.Select(row => row.Data.Item1)));

    [Theory]
    [MemberData(nameof(Types))]
    public void A_search_never_does_worse_than_the_extremes(GgmlType type)
    {
        Random random = Seeded();
        for (int i = 0; i < 6; i++)
        {
            float[] values = Weights(random, 256, i);
            TensorFormat format = TensorFormat.Of(type);
            var bytes = new byte[256 / type.BlockLength() * type.BlockBytes()];
            format.Encode(values, bytes, search: false);
            var plain = new float[256];
            format.Decode(bytes, plain);
            Assert.InRange(Square(values, RoundTrip(type, values)), 0, Square(values, plain));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Numbers_that_a_format_holds_come_back(GgmlType type)
    {
        // What was decoded from a model's blocks and encoded again is as good as it was: the error is a small part of a step.
        Random random = Seeded();
        float[] values = RoundTrip(type, Normal(random, 1024, 0.02));
        float[] again = RoundTrip(type, values);
        double loss = Math.Sqrt(Square(values, again) / Square(values, new float[values.Length]));
        output.WriteLine($"{type} {loss:F4}");
        Assert.InRange(loss, 0, 0.5 * Losses.Single(row => row.Data.Item1 == type).Data.Item2);
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Zeros_stay_zeros(GgmlType type) =>
        Assert.All(RoundTrip(type, new float[512]), v => Assert.Equal(0, v));

    [Theory]
    [MemberData(nameof(Types))]
    public void One_number_alone_comes_back(GgmlType type)
    {
        // The hardest block for a format with one scale for many runs, and none may lose the one weight there is.
        foreach (float value in new[] { 1f, -1f, 1e-3f, 300f })
        {
            var values = new float[256];
            values[77] = value;
            float decoded = RoundTrip(type, values)[77];
            Assert.InRange(decoded / value, 0.4, 1.6);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Tiny_numbers_stay_tiny(GgmlType type)
    {
        Random random = Seeded();
        foreach (double size in new[] { 1e-6, 1e-9, 1e-30, 1e-42 })
        {
            // A scale in binary16 ends at 6e-8, so all may become zero; nothing may become large.
            float[] values = Normal(random, 256, size);
            Assert.All(RoundTrip(type, values), v => Assert.InRange(Math.Abs(v), 0, Math.Max(8 * (float)size, 1e-5f)));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Huge_numbers_are_stored_or_refused(GgmlType type)
    {
        foreach (float size in new[] { 1e3f, 6e4f, 1e6f, 1e10f, 1e38f, float.MaxValue })
        {
            float[] values = [.. Enumerable.Range(0, 256).Select(i => i % 2 == 0 ? size : -size)];
            try
            {
                float[] parts = [.. RoundTrip(type, values).Zip(values, (decoded, value) => decoded / value)];
                Assert.InRange(Math.Sqrt(Square(parts, [.. Enumerable.Repeat(1f, 256)]) / 256), 0, 0.5);
            }
            catch (QuantizationException e)
            {
                Assert.True(size > 6e4f && type is not GgmlType.F32 and not GgmlType.MXFP4 && (type is not GgmlType.BF16 || size == float.MaxValue), $"{size} as {type}: {e.Message}");
            }
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void What_is_no_number_is_refused(GgmlType type)
    {
        foreach (float bad in new[] { float.NaN, float.PositiveInfinity, float.NegativeInfinity })
        {
            var values = new float[512];
            values[300] = bad;
            Assert.Contains("300 of 512", Assert.Throws<QuantizationException>(() => RoundTrip(type, values)).Message);
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Lengths_that_do_not_fit_are_refused(GgmlType type)
    {
        var bytes = new byte[2 * type.BlockBytes()];
        var values = new float[2 * type.BlockLength()];
        BlockEncoder.Encode(type, values, bytes);
        BlockEncoder.Encode(type, [], []);
        if (type.BlockLength() > 1) Assert.Throws<ArgumentException>("values", () => BlockEncoder.Encode(type, values.AsSpan(1), bytes));
        Assert.Throws<ArgumentException>("blocks", () => BlockEncoder.Encode(type, values, bytes.AsSpan(1)));
        Assert.Throws<ArgumentException>("blocks", () => BlockEncoder.Encode(type, values, new byte[bytes.Length + 1]));
        Assert.Throws<ArgumentOutOfRangeException>("type", () => BlockEncoder.Encode((GgmlType)4, values, bytes));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void What_lay_in_the_target_does_not_show(GgmlType type)
    {
        float[] values = Normal(Seeded(), 256, 1);
        var clean = new byte[256 / type.BlockLength() * type.BlockBytes()];
        byte[] used = [.. Enumerable.Repeat((byte)0xA5, clean.Length)];
        BlockEncoder.Encode(type, values, clean);
        BlockEncoder.Encode(type, values, used);
        Assert.Equal(clean, used);
    }

    private Random Seeded()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        return new Random(seed);
    }

    private static float[] RoundTrip(GgmlType type, float[] values)
    {
        var bytes = new byte[values.Length / type.BlockLength() * type.BlockBytes()];
        BlockEncoder.Encode(type, values, bytes);
        var decoded = new float[values.Length];
        BlockDecoder.Decode(type, bytes, decoded);
        return decoded;
    }

    private static double Square(float[] a, float[] b) => a.Zip(b).Sum(pair => ((double)pair.First - pair.Second) * ((double)pair.First - pair.Second));

    private static float[] Weights(Random random, int count, int kind) => kind switch
    {
        0 => Normal(random, count, 0.02),
        1 => [.. Normal(random, count, 1).Select(MathF.Abs)], // one sign
        2 => [.. Normal(random, count, 1).Select(v => v * v * v)], // outliers
        3 => [.. Normal(random, count, 1).Select((v, i) => v * MathF.Pow(2, i / 16 % 12))], // runs of very different sizes
        4 => [.. Enumerable.Repeat(-0.37f, count)], // all the same
        _ => [.. Enumerable.Range(0, count).Select(i => (float)(i % 7 == 0 ? random.NextDouble() : 0))], // mostly zero
    };

    private static float[] Normal(Random random, int count, double size) =>
        [.. Enumerable.Range(0, count).Select(_ => (float)(size * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble())))];
}
