using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Quantization.Formats;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as Q3_K: a block of 256 is eight groups of 32, each of two runs with a scale.</summary>
internal readonly unsafe struct Q3KWeights : IWeightFormat
{
    private const int BlockBytes = 110;
    private const int Groups = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>
    {
        byte* quant = row + (block / Groups * (long)BlockBytes);
        int group = block % Groups;
        byte* bits = quant + 32 + (group / 4 * 32);
        int shift = group % 4 * 2;
        Vector128<byte> low = PackedBits.Field(Vector128.Load(bits), shift, 3) | ThirdBit(Vector128.Load(quant), group);
        Vector128<byte> high = PackedBits.Field(Vector128.Load(bits + 16), shift, 3) | ThirdBit(Vector128.Load(quant + 16), group);
        Vector128<sbyte> bias = Vector128.Create((sbyte)4);
        float d = WeightLayout.HalfAt(quant + 108);
        ReadOnlySpan<byte> scales = new(quant + 96, 12);
        TLanes scale = TLanes.Broadcast(d * (Q3_K.Scale(scales, 2 * group) - 32), d * (Q3_K.Scale(scales, (2 * group) + 1) - 32));
        return TLanes.Multiply(TLanes.FromSBytes(low.AsSByte() - bias, high.AsSByte() - bias), scale);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> ThirdBit(Vector128<byte> masks, int group) => (PackedBits.Field(masks, group, 1).AsUInt16() << 2).AsByte();

    // Rows of quantised weights are whole blocks: loading refuses others.
    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A quantised row has no partial block.");
}
