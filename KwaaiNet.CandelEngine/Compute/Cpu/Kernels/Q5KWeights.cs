using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Quantization.Blocks;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as Q5_K: a block of 256 is eight groups of 32, each with a scale and a minimum.</summary>
internal readonly unsafe struct Q5KWeights : IWeightFormat
{
    private const int BlockBytes = 176;
    private const int Groups = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>
    {
        byte* quant = row + (block / Groups * (long)BlockBytes);
        int group = block % Groups;
        byte* pairs = quant + 48 + (group / 2 * 32);
        int shift = group % 2 * 4;
        Vector128<byte> low = PackedBits.Field(Vector128.Load(pairs), shift, 15);
        Vector128<byte> high = PackedBits.Field(Vector128.Load(pairs + 16), shift, 15);
        low |= FifthBit(Vector128.Load(quant + 16), group);
        high |= FifthBit(Vector128.Load(quant + 32), group);
        ReadOnlySpan<byte> packed = new(quant + 4, 12);
        float scale = WeightLayout.HalfAt(quant) * BlockBits.PackedScale(packed, group);
        float minimum = WeightLayout.HalfAt(quant + 2) * BlockBits.PackedMinimum(packed, group);
        return TLanes.Subtract(TLanes.Multiply(TLanes.FromSBytes(low.AsSByte(), high.AsSByte()), TLanes.Broadcast(scale)), TLanes.Broadcast(minimum));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> FifthBit(Vector128<byte> masks, int group) => (PackedBits.Field(masks, group, 1).AsUInt16() << 4).AsByte();

    // Rows of quantised weights are whole blocks: loading refuses others.
    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A quantised row has no partial block.");
}
