using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;

/// <summary>Matrix products with packed weights, in the vector width of the processor. Every width gives the same bits.</summary>
internal abstract unsafe class PackedKernels
{
    /// <summary>The kernels of the widest vectors the processor has.</summary>
    internal static PackedKernels Best { get; } = For(
        RowLanes512.IsSupported ? SimdTier.Vector512
        : RowLanes256.IsSupported ? SimdTier.Vector256
        : RowLanes128.IsSupported ? SimdTier.Vector128
        : SimdTier.Scalar);

    /// <summary>The kernels of one width.</summary>
    internal static PackedKernels For(SimdTier tier) => tier switch
    {
        SimdTier.Vector512 => new VectorPackedKernels<RowLanes512>(),
        SimdTier.Vector256 => new VectorPackedKernels<RowLanes256>(),
        SimdTier.Vector128 => new VectorPackedKernels<RowLanes128>(),
        SimdTier.Scalar => new ScalarPackedKernels(),
        _ => throw new ArgumentOutOfRangeException(nameof(tier), tier, null),
    };

    /// <summary><c>y[r, o] = Σ_c w[o, c] · x[r, c]</c> for the outputs of groups <c>[firstGroup, endGroup)</c> and all rows of x. A row's result is the same bits however many rows come with it.</summary>
    /// <param name="weights">The matrix.</param>
    /// <param name="firstGroup">First group of 16 outputs.</param>
    /// <param name="endGroup">One past the last.</param>
    /// <param name="x">Activations of the kind the matrix asks for.</param>
    /// <param name="y">Results; the first output of the first group of row r goes to <c>y[r · yStride]</c>. Whole groups are written, so rows have room up to a multiple of 16.</param>
    /// <param name="yStride">Numbers between rows of <paramref name="y"/>.</param>
    internal abstract void Multiply(PackedMatrix weights, int firstGroup, int endGroup, ActivationRows x, float* y, int yStride);
}

/// <summary>The kernels in one vector width.</summary>
internal sealed unsafe class VectorPackedKernels<TLanes> : PackedKernels where TLanes : struct, IRowLanes<TLanes>
{
    internal override void Multiply(PackedMatrix weights, int firstGroup, int endGroup, ActivationRows x, float* y, int yStride)
    {
        switch (weights.Type)
        {
            case GgmlType.Q4_0: ByteKernel<TLanes, PackedQ4_0>.Multiply(weights, firstGroup, endGroup, x, y, yStride); break;
            case GgmlType.Q4_K: ByteKernel<TLanes, PackedQ4_K>.Multiply(weights, firstGroup, endGroup, x, y, yStride); break;
            case GgmlType.Q5_K: ByteKernel<TLanes, PackedQ5_K>.Multiply(weights, firstGroup, endGroup, x, y, yStride); break;
            case GgmlType.Q6_K: ByteKernel<TLanes, PackedQ6_K>.Multiply(weights, firstGroup, endGroup, x, y, yStride); break;
            case GgmlType.Q8_0: ShortKernel<TLanes>.Multiply(weights, firstGroup, endGroup, x, y, yStride); break;
            case GgmlType.F16: FloatKernel<TLanes, PackedHalf>.Multiply(weights, firstGroup, endGroup, x, y, yStride); break;
            case GgmlType.BF16: FloatKernel<TLanes, PackedBFloat16>.Multiply(weights, firstGroup, endGroup, x, y, yStride); break;
            case GgmlType.F32: FloatKernel<TLanes, PackedSingle>.Multiply(weights, firstGroup, endGroup, x, y, yStride); break;
            default: throw new ArgumentOutOfRangeException(nameof(weights), weights.Type, null);
        }
    }
}
