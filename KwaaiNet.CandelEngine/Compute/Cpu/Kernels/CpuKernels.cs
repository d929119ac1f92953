using System.Numerics.Tensors;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>The arithmetic of a block. Every vector width, and the scalar twin, computes the same bits.</summary>
/// <remarks>
/// Activation rows are padded with zeros to a multiple of 32 numbers, <see cref="Padded"/>, so that only weights have tails.
/// What is not overridden is elementwise and exact in any order.
/// </remarks>
internal abstract unsafe class CpuKernels
{
    /// <summary>The kernels of the widest vectors the processor has.</summary>
    internal static CpuKernels Best { get; } = For(
        Vector512.IsHardwareAccelerated ? SimdTier.Vector512
        : Vector256.IsHardwareAccelerated ? SimdTier.Vector256
        : Vector128.IsHardwareAccelerated ? SimdTier.Vector128
        : SimdTier.Scalar);

    internal static CpuKernels For(SimdTier tier) => tier switch
    {
        SimdTier.Vector512 => new VectorKernels<Lanes512>(),
        SimdTier.Vector256 => new VectorKernels<Lanes256>(),
        SimdTier.Vector128 => new VectorKernels<Lanes128>(),
        SimdTier.Scalar => new ScalarKernels(),
        _ => throw new ArgumentOutOfRangeException(nameof(tier), tier, null),
    };

    /// <summary>The stride of activation rows of a width: the next multiple of 32.</summary>
    internal static int Padded(int width) => (width + 31) & ~31;

    /// <summary>
    /// <c>y[r, o] = Σ_c w[o, c] · x[r, c]</c> for outputs <c>[first, end)</c> and all rows. A row's result is the same bits however
    /// many rows come with it.
    /// </summary>
    /// <param name="weights">The matrix.</param>
    /// <param name="first">First output.</param>
    /// <param name="end">One past the last output.</param>
    /// <param name="x">Activations, <c>[rows, xStride]</c>, padded with zeros.</param>
    /// <param name="xStride">Numbers between rows of <paramref name="x"/>.</param>
    /// <param name="rows">Activation rows.</param>
    /// <param name="y">Results; output <paramref name="first"/> of row r goes to <c>y[r · yStride]</c>. No overlap with <paramref name="x"/>.</param>
    /// <param name="yStride">Numbers between rows of <paramref name="y"/>.</param>
    internal abstract void Multiply(in WeightMatrix weights, int first, int end, float* x, int xStride, int rows, float* y, int yStride);

    /// <summary>RMSNorm: <c>y = x / √(mean(x²) + ε) · w</c>.</summary>
    /// <param name="x">A row, padded.</param>
    /// <param name="weights">The norm's weights, padded.</param>
    /// <param name="width">Numbers in the row.</param>
    /// <param name="epsilon">Added under the root.</param>
    /// <param name="y">The result, padded; may be <paramref name="x"/>.</param>
    internal abstract void RmsNorm(float* x, float* weights, int width, float epsilon, float* y);

    /// <summary><c>gate = gate / (1 + e^−gate) · up</c>, in place.</summary>
    /// <param name="gate">A row, padded.</param>
    /// <param name="up">A row, padded.</param>
    /// <param name="width">Numbers in the row.</param>
    internal abstract void SiluMultiply(float* gate, float* up, int width);

    /// <summary><c>gate = gelu(gate) · up</c>, in place; <see cref="Gelu"/> says how exactly.</summary>
    /// <param name="gate">A row, padded.</param>
    /// <param name="up">A row, padded.</param>
    /// <param name="width">Numbers in the row.</param>
    internal abstract void GeluMultiply(float* gate, float* up, int width);

    /// <summary><c>x = cap · tanh(x / cap)</c>, in place, within 2⁻²² of the cap. The padding changes too.</summary>
    /// <param name="x">A row, padded.</param>
    /// <param name="width">Numbers in the row.</param>
    /// <param name="cap">The bound.</param>
    internal abstract void Softcap(float* x, int width, float cap);

    /// <summary>Attention of the query heads that share a key/value head over a span of positions: <c>out = Σ_t softmax(score_t) · v_t</c>, t ascending.</summary>
    /// <param name="query">The queries, <c>[heads, HeadSize]</c>.</param>
    /// <param name="heads">How many.</param>
    /// <param name="kv">Keys and values.</param>
    /// <param name="kvHead">The key/value head.</param>
    /// <param name="span">The positions, and what becomes of their scores.</param>
    /// <param name="scratch">Scratch of <see cref="AttentionScratch"/> numbers.</param>
    /// <param name="output">The results, <c>[heads, HeadSize]</c>.</param>
    internal abstract void Attend(float* query, int heads, in KvBlock kv, int kvHead, in AttentionSpan span, float* scratch, float* output);

    /// <summary>Numbers of scratch that <see cref="Attend"/> needs for heads of a size: scores of a page and running sums, of four heads.</summary>
    internal static int AttentionScratch(int headSize) => 4 * (KvBlock.PagePositions + Padded(headSize));

    /// <summary>Turns the first numbers of each head, pairs <c>(2i, 2i + 1)</c>, by their angles.</summary>
    /// <param name="heads">Heads side by side, in place.</param>
    /// <param name="count">How many heads.</param>
    /// <param name="headSize">Numbers in a head.</param>
    /// <param name="angles">Cosine and sine of each pair.</param>
    /// <param name="ropeSize">Numbers of a head that turn.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void RotateNeighbours(float* heads, int count, int headSize, float* angles, int ropeSize)
    {
        for (int head = 0; head < count; head++, heads += headSize)
        {
            for (int i = 0; i < ropeSize; i += 2) Turn(heads + i, heads + i + 1, angles + i);
        }
    }

    /// <summary>Turns the first numbers of each head, pairs <c>(i, i + ropeSize / 2)</c>, by their angles.</summary>
    /// <inheritdoc cref="RotateNeighbours"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void RotateHalves(float* heads, int count, int headSize, float* angles, int ropeSize)
    {
        int half = ropeSize / 2;
        for (int head = 0; head < count; head++, heads += headSize)
        {
            for (int i = 0; i < half; i++) Turn(heads + i, heads + half + i, angles + (2 * i));
        }
    }

    /// <summary><c>x *= factor</c>.</summary>
    internal static void Scale(float* x, float factor, int width) =>
        TensorPrimitives.Multiply(new ReadOnlySpan<float>(x, width), factor, new Span<float>(x, width));

    /// <summary><c>x += factor · y</c>, product and sum each rounded.</summary>
    internal static void AddScaled(float* x, float* y, float factor, int width)
    {
        Span<float> sum = new(x, width);
        TensorPrimitives.MultiplyAdd(new ReadOnlySpan<float>(y, width), factor, sum, sum);
    }

    /// <summary><c>x += y</c>.</summary>
    internal static void Add(float* x, float* y, int width) =>
        TensorPrimitives.Add(new ReadOnlySpan<float>(x, width), new ReadOnlySpan<float>(y, width), new Span<float>(x, width));

    /// <summary>Rounds to what a binary16 can hold, in place: to nearest even, beyond ±65504 saturating.</summary>
    internal static void RoundToHalf(Span<float> values, Span<Half> scratch)
    {
        float limit = (float)Half.MaxValue;
        TensorPrimitives.Clamp(values, -limit, limit, values);
        TensorPrimitives.ConvertToHalf(values, scratch[..values.Length]);
        TensorPrimitives.ConvertToSingle(scratch[..values.Length], values);
    }

    /// <summary>Decodes one row of a matrix.</summary>
    internal static void DecodeRow(in WeightMatrix weights, int row, float* destination) =>
        WeightLayout.Decode(weights.Type, weights.Row(row), 0, new Span<float>(destination, weights.Columns));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(float* first, float* second, float* angle)
    {
        float a = *first;
        float b = *second;
        *first = (a * angle[0]) - (b * angle[1]);
        *second = (a * angle[1]) + (b * angle[0]);
    }
}
