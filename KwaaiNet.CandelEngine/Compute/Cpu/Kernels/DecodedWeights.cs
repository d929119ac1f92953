using System.Diagnostics;
using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights of any block format, decoded by its scalar definition: for formats that have no vector decoder of their own.</summary>
/// <remarks>A format that deserves one gets a struct beside this and its line in <see cref="MatrixKernels{TLanes}"/>.</remarks>
internal readonly unsafe struct DecodedWeights<TFormat> : IWeightFormat
    where TFormat : struct, IBlockFormat
{
    // Not inlined: the scratch must be gone before the next block, not at the end of the row.
    [MethodImpl(MethodImplOptions.NoInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>
    {
        int groups = TFormat.Type.BlockLength() / BlockBits.GroupLength;
        int bytes = TFormat.Type.BlockBytes();
        float* values = stackalloc float[BlockBits.GroupLength];
        TFormat.DecodeGroup(
            new ReadOnlySpan<byte>(row + (block / groups * (long)bytes), bytes), block % groups, new Span<float>(values, BlockBits.GroupLength));
        return TLanes.Load(values);
    }

    // Rows of quantised weights are whole blocks: loading refuses others.
    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A quantised row has no partial block.");
}
