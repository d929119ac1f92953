using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as Q4_1.</summary>
internal readonly unsafe struct Q4MinimumWeights : IWeightFormat
{
    private const int BlockBytes = 20;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>
    {
        byte* quant = row + (block * (long)BlockBytes);
        Vector128<byte> pairs = Vector128.Load(quant + 4);
        TLanes numbers = TLanes.FromSBytes(PackedBits.Field(pairs, 0, 15).AsSByte(), PackedBits.Field(pairs, 4, 15).AsSByte());
        // The product is exact, so adding to it rounds once, fused or not.
        return TLanes.FusedMultiplyAdd(numbers, TLanes.Broadcast(WeightLayout.HalfAt(quant)), TLanes.Broadcast(WeightLayout.HalfAt(quant + 2)));
    }

    // Rows of quantised weights are whole blocks: loading refuses others.
    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A quantised row has no partial block.");
}
