using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Quantization.Formats;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as MXFP4.</summary>
internal readonly unsafe struct Mxfp4Weights : IWeightFormat
{
    private const int BlockBytes = 17;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>
    {
        byte* quant = row + (block * (long)BlockBytes);
        Vector128<byte> pairs = Vector128.Load(quant + 1);
        TLanes numbers = TLanes.FromSBytes(
            PackedBits.Look(MXFP4.Doubled, PackedBits.Field(pairs, 0, 15)), PackedBits.Look(MXFP4.Doubled, PackedBits.Field(pairs, 4, 15)));
        return TLanes.Multiply(numbers, TLanes.Broadcast(MXFP4.HalfScale(quant[0])));
    }

    // Rows of quantised weights are whole blocks: loading refuses others.
    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A quantised row has no partial block.");
}
