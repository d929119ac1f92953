using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Vector kernels against their scalar twin, bit for bit, in every width; and the twin against plain arithmetic.</summary>
public sealed unsafe class CpuKernelTests(ITestOutputHelper output)
{
    private static readonly CpuKernels s_scalar = CpuKernels.For(SimdTier.Scalar);

    public static TheoryData<int> Widths => [128, 256, 512];

    public static TheoryData<int, GgmlType> WidthsAndTypes =>
        new(from width in (int[])[128, 256, 512] from type in Enum.GetValues<GgmlType>() select (width, type));

    [Theory]
    [MemberData(nameof(WidthsAndTypes))]
    public void Multiply_equals_its_scalar_twin(int width, GgmlType type)
    {
        Random random = Seeded();
        int block = type.BlockLength();
        foreach (int columns in block == 1 ? new[] { 1, 31, 32, 33, 64, 107, 172 } : [block, 2 * block, 5 * block])
        {
            foreach (int rows in new[] { 1, 2, 3, 4, 5, 7, 8 })
            {
                // Any bytes: scales of every size, zero, infinite and NaN among them; on some the numbers stay finite.
                var weights = new byte[9 * columns / block * type.BlockBytes()];
                random.NextBytes(weights);
                if (rows % 3 == 0) weights.AsSpan().Fill((byte)(rows == 3 ? 0xFF : 0));
                float[] x = Padded(random, rows, columns);
                CompareWithTwin(width, type, weights, columns, x, rows);
            }
        }
    }

    [Theory]
    [MemberData(nameof(WidthsAndTypes))]
    public void Every_weight_is_what_the_format_says_it_is(int width, GgmlType type)
    {
        // One activation of 1 and the rest 0 picks a weight out; an infinity beside it would make a NaN of all.
        Random random = Seeded();
        int block = type.BlockLength();
        int columns = block == 1 ? 40 : 2 * block;
        var weights = new byte[columns / block * type.BlockBytes()];
        var values = new float[columns];
        do
        {
            random.NextBytes(weights);
            BlockDecoder.Decode(type, weights, values);
        }
        while (!Array.TrueForAll(values, float.IsFinite));

        fixed (byte* data = weights)
        {
            WeightMatrix matrix = new(new TensorData("w", type, 1, columns, (nint)data, weights.Length));
            for (int c = 0; c < columns; c++)
            {
                var x = new float[CpuKernels.Padded(columns)];
                x[c] = 1;
                Assert.Equal(values[c], Multiply(Kernels(width), matrix, x, x.Length, 1, 1)[0]);
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Every_half_widens_to_its_own_value(int width)
    {
        // A row of 32 halves times a vector with a single one picks out one of them.
        var halves = new Half[1 << 16];
        for (int i = 0; i < halves.Length; i++) halves[i] = BitConverter.UInt16BitsToHalf((ushort)i);
        fixed (Half* data = halves)
        {
            WeightMatrix matrix = new(new TensorData("w", GgmlType.F16, halves.Length / 32, 32, (nint)data, halves.Length * 2));
            for (int column = 0; column < 32; column++)
            {
                var x = new float[32];
                x[column] = 1;
                float[] picked = Multiply(Kernels(width), matrix, x, 32, 1, matrix.Outputs);
                for (int row = 0; row < picked.Length; row++)
                {
                    // A row that holds an infinity or a NaN anywhere sums to NaN; all others are exact.
                    bool finite = halves.AsSpan(row * 32, 32).ToArray().All(Half.IsFinite);
                    if (finite) Assert.Equal((float)halves[(row * 32) + column], picked[row]);
                    else Assert.True(!float.IsFinite(picked[row]));
                }
            }
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Kernels_of_rows_equal_their_scalar_twins(int width)
    {
        Random random = Seeded();
        foreach (int count in new[] { 1, 8, 32, 50, 64, 172 })
        {
            float[] x = Padded(random, 1, count);
            float[] w = Padded(random, 1, count);
            Assert.Equal(Bits(Norm(s_scalar, x, w, count)), Bits(Norm(Kernels(width), x, w, count)));
            for (int i = 0; i < count; i += 3) x[i] *= 60; // also where e^x leaves its range
            Assert.Equal(Bits(Silu(s_scalar, x, w, count)), Bits(Silu(Kernels(width), x, w, count)));
            Assert.Equal(Bits(Gelu(s_scalar, x, w, count)), Bits(Gelu(Kernels(width), x, w, count)));
            Assert.Equal(Bits(Softcap(s_scalar, x, count, 30)), Bits(Softcap(Kernels(width), x, count, 30)));
        }
    }

    [Fact]
    public void Gelu_and_the_softcap_are_what_their_formulas_say()
    {
        float[] x = [.. Enumerable.Range(0, 32 * 60).Select(i => (i - 960) / 40f), -300, 300, .. new float[30]];
        float[] ones = [.. Enumerable.Repeat(1f, x.Length)];
        float[] gelu = Gelu(s_scalar, x, ones, x.Length);
        float[] capped = Softcap(s_scalar, x, x.Length, 5);
        for (int i = 0; i < x.Length; i++)
        {
            double bent = x[i] + (0.044715 * Math.Pow(x[i], 3));
            double rounded = (1.1e-3 * Math.Min(Math.Abs(x[i]), 10)) + 1e-6; // argument and result to 11 bits
            Assert.InRange(gelu[i] - (x[i] / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * bent))), -rounded, rounded);
            Assert.InRange(capped[i] - (5 * Math.Tanh(x[i] / 5.0)), -2e-6, 2e-6);
        }
    }

    [Theory]
    [MemberData(nameof(Widths))]
    public void Attention_equals_its_scalar_twin(int width)
    {
        Random random = Seeded();
        foreach (int headSize in new[] { 8, 16, 32, 48, 64, 128 })
        {
            foreach ((int first, int end) in new[] { (0, 1), (0, 2), (0, 31), (0, 32), (0, 33), (0, 65), (0, 130), (7, 8), (3, 64), (63, 65), (64, 130), (100, 130) })
            {
                foreach (float cap in new[] { 0f, 2f })
                {
                    AttentionSpan span = new(first, end, 0.3f, cap);
                    float[] query = Values(random, 6 * headSize);
                    foreach (KvFormat format in Enum.GetValues<KvFormat>())
                    {
                        float[] expected = Attend(s_scalar, query, headSize, span, format: format);
                        Assert.All(expected, value => Assert.True(float.IsFinite(value)));
                        Assert.Equal(Bits(expected), Bits(Attend(Kernels(width), query, headSize, span, format: format)));
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData(KvFormat.F16, 2e-3)]
    [InlineData(KvFormat.Q8, 3e-2)]
    public void Keeping_keys_and_values_in_fewer_bits_costs_what_their_rounding_explains(KvFormat format, double most)
    {
        AttentionSpan span = new(0, 200, 0.125f, 0);
        float[] query = Values(Seeded(), 4 * 64);
        float[] exact = Attend(s_scalar, query, 64, span);
        float[] kept = Attend(s_scalar, query, 64, span, format: format);

        double largest = exact.Max(Math.Abs);
        Assert.InRange(exact.Zip(kept, (a, b) => Math.Abs(a - b)).Max() / largest, 1e-7, most);
    }

    [Fact]
    public void Positions_before_the_first_one_do_not_show()
    {
        float[] query = Values(Seeded(), 16);
        float[] all = Attend(s_scalar, query, 16, new AttentionSpan(70, 100, 0.25f, 0));

        Assert.Equal(Bits(all), Bits(Attend(s_scalar, query, 16, new AttentionSpan(70, 100, 0.25f, 0), spoilBefore: 70)));
        Assert.NotEqual(Bits(all), Bits(Attend(s_scalar, query, 16, new AttentionSpan(70, 100, 0.25f, 0), spoilBefore: 71)));
    }

    [Fact]
    public void The_exponential_is_within_two_units_in_the_last_place()
    {
        for (float x = -87f; x < 88f; x += 0.0137f)
        {
            float expected = (float)Math.Exp(x);
            Assert.InRange(Math.Abs(Exponential.Of(x) - expected) / MathF.BitIncrement(expected), 0, 2.4e-7f);
        }

        Assert.Equal(0, Exponential.Of(float.NegativeInfinity));
        Assert.Equal(1, Exponential.Of(0f));
        Assert.True(float.IsFinite(Exponential.Of(float.MaxValue)));
    }

    [Fact]
    public void Rounding_to_half_is_to_nearest_even_and_saturates()
    {
        Random random = Seeded();
        List<float> values = [0f, -0f, 65504f, 65519.9f, 65520f, 1e30f, -1e30f, float.PositiveInfinity, 5.9604645e-8f, 2.9802322e-8f, 2.98024e-8f, 1f + (1f / 2048), 1f + (3f / 2048)];
        for (int i = 0; i < 2000; i++) values.Add(BitConverter.Int32BitsToSingle(random.Next() & 0x7F7FFFFF) * (i % 2 == 0 ? 1 : -1));
        values.RemoveAll(float.IsNaN);
        float[] rounded = [.. values];

        CpuKernels.RoundToHalf(rounded, new Half[rounded.Length]);

        for (int i = 0; i < rounded.Length; i++)
            Assert.Equal((float)(Half)Math.Clamp(values[i], -65504f, 65504f), rounded[i]);
    }

    private Random Seeded()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        return new Random(seed);
    }

    private static CpuKernels Kernels(int width) =>
        CpuKernels.For(width switch { 128 => SimdTier.Vector128, 256 => SimdTier.Vector256, _ => SimdTier.Vector512 });

    // The bits of a NaN are the processor's choice: all NaNs are one.
    private static IEnumerable<int> Bits(float[] values) => values.Select(v => BitConverter.SingleToInt32Bits(float.IsNaN(v) ? float.NaN : v));

    private static float[] Values(Random random, int count) =>
        [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) * 4)];

    private static float[] Padded(Random random, int rows, int width)
    {
        int stride = CpuKernels.Padded(width);
        var padded = new float[rows * stride];
        for (int r = 0; r < rows; r++) Values(random, width).CopyTo(padded, r * stride);
        return padded;
    }

    private static void CompareWithTwin(int width, GgmlType type, byte[] weights, int columns, float[] x, int rows)
    {
        fixed (byte* data = weights)
        {
            WeightMatrix matrix = new(new TensorData("w", type, 9, columns, (nint)data, weights.Length));
            int stride = CpuKernels.Padded(columns);
            float[] expected = Multiply(s_scalar, matrix, x, stride, rows);
            Assert.Equal(Bits(expected), Bits(Multiply(Kernels(width), matrix, x, stride, rows)));
        }
    }

    private static float[] Multiply(CpuKernels kernels, WeightMatrix matrix, float[] x, int stride, int rows, int outputs = 9)
    {
        var y = new float[rows * outputs];
        fixed (float* source = x)
        fixed (float* target = y) kernels.Multiply(matrix, 0, outputs, source, stride, rows, target, outputs);
        return y;
    }

    private static float[] Norm(CpuKernels kernels, float[] x, float[] w, int width)
    {
        var y = new float[x.Length];
        fixed (float* source = x)
        fixed (float* weights = w)
        fixed (float* target = y) kernels.RmsNorm(source, weights, width, 1e-5f, target);
        return y;
    }

    private static float[] Silu(CpuKernels kernels, float[] gate, float[] up, int width)
    {
        float[] result = [.. gate];
        fixed (float* target = result)
        fixed (float* source = up) kernels.SiluMultiply(target, source, width);
        return result;
    }

    private static float[] Gelu(CpuKernels kernels, float[] gate, float[] up, int width)
    {
        float[] result = [.. gate];
        fixed (float* target = result)
        fixed (float* source = up) kernels.GeluMultiply(target, source, width);
        return result;
    }

    private static float[] Softcap(CpuKernels kernels, float[] x, int width, float cap)
    {
        float[] result = [.. x];
        fixed (float* target = result) kernels.Softcap(target, width, cap);
        return result;
    }

    private static float[] Attend(
        CpuKernels kernels, float[] query, int headSize, AttentionSpan span, int spoilBefore = 0, KvFormat format = KvFormat.F32)
    {
        const int KvHeads = 2;
        Random random = new(span.End);
        int pages = (span.End + KvBlock.PagePositions - 1) / KvBlock.PagePositions;
        var addresses = new nint[pages * 2];
        KvBlock kv = new(addresses, 1, 2, KvHeads, headSize, KvBlock.Usable(format, headSize));
        nuint bytes = (nuint)KvBlock.PageBytes(kv.Format, KvHeads, headSize);
        for (int page = 0; page < pages; page++)
        {
            ref nint address = ref addresses[(page * 2) + 1];
            address = (nint)NativeMemory.Alloc(bytes);
            new Span<byte>((void*)address, (int)bytes).Fill(0xFF); // what was never kept is not a number
        }

        for (int t = 0; t < span.End; t++)
        {
            float[] pair = t < spoilBefore ? [.. Enumerable.Repeat(float.NaN, 2 * headSize)] : Values(random, 2 * headSize);
            if (t < spoilBefore) Values(random, 2 * headSize); // the same numbers follow
            fixed (float* p = pair) kv.Keep(t, 1, p, p + headSize);
        }

        var scratch = new float[CpuKernels.AttentionScratch(headSize)];
        var result = new float[query.Length];
        fixed (float* q = query)
        fixed (float* s = scratch)
        fixed (float* r = result) kernels.Attend(q, query.Length / headSize, kv, 1, span, s, r);
        foreach (nint address in addresses) NativeMemory.Free((void*)address);
        return result;
    }
}
