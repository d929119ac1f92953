using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as Q5_0.</summary>
internal readonly unsafe struct Q5Weights : IWeightFormat
{
    private const int BlockBytes = 22;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>
    {
        byte* quant = row + (block * (long)BlockBytes);
        Vector128<byte> pairs = Vector128.Load(quant + 6);
        Vector128<byte> low = PackedBits.Field(pairs, 0, 15) | PackedBits.Spread(Unsafe.ReadUnaligned<ushort>(quant + 2), 16);
        Vector128<byte> high = PackedBits.Field(pairs, 4, 15) | PackedBits.Spread(Unsafe.ReadUnaligned<ushort>(quant + 4), 16);
        Vector128<sbyte> bias = Vector128.Create((sbyte)16);
        return TLanes.Multiply(TLanes.FromSBytes(low.AsSByte() - bias, high.AsSByte() - bias), TLanes.Broadcast(WeightLayout.HalfAt(quant)));
    }

    // Rows of quantised weights are whole blocks: loading refuses others.
    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A quantised row has no partial block.");
}
