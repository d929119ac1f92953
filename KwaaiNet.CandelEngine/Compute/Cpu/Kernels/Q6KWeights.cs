using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as Q6_K: a block of 256 is eight groups of 32, each of two runs with a scale.</summary>
internal readonly unsafe struct Q6KWeights : IWeightFormat
{
    private const int BlockBytes = 210;
    private const int Groups = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>
    {
        byte* quant = row + (block / Groups * (long)BlockBytes);
        int group = block % Groups;
        int quarter = group % 4;
        byte* nibbles = quant + (group / 4 * 64) + (quarter % 2 * 32);
        byte* uppers = quant + 128 + (group / 4 * 32);
        int shift = quarter / 2 * 4;
        Vector128<byte> low = PackedBits.Field(Vector128.Load(nibbles), shift, 15) | UpperBits(Vector128.Load(uppers), quarter);
        Vector128<byte> high = PackedBits.Field(Vector128.Load(nibbles + 16), shift, 15) | UpperBits(Vector128.Load(uppers + 16), quarter);
        Vector128<sbyte> bias = Vector128.Create((sbyte)32);
        float d = WeightLayout.HalfAt(quant + 208);
        sbyte* scales = (sbyte*)quant + 192 + (2 * group);
        return TLanes.Multiply(TLanes.FromSBytes(low.AsSByte() - bias, high.AsSByte() - bias), TLanes.Broadcast(d * scales[0], d * scales[1]));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector128<byte> UpperBits(Vector128<byte> bytes, int quarter) => (PackedBits.Field(bytes, 2 * quarter, 3).AsUInt16() << 4).AsByte();

    // Rows of quantised weights are whole blocks: loading refuses others.
    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A quantised row has no partial block.");
}
