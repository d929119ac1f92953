using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as Q2_K: a block of 256 is eight groups of 32, each of two runs with a scale and a minimum.</summary>
internal readonly unsafe struct Q2KWeights : IWeightFormat
{
    private const int BlockBytes = 84;
    private const int Groups = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>
    {
        byte* quant = row + (block / Groups * (long)BlockBytes);
        int group = block % Groups;
        byte* bits = quant + 16 + (group / 4 * 32);
        int shift = group % 4 * 2;
        TLanes numbers = TLanes.FromSBytes(
            PackedBits.Field(Vector128.Load(bits), shift, 3).AsSByte(), PackedBits.Field(Vector128.Load(bits + 16), shift, 3).AsSByte());
        float d = WeightLayout.HalfAt(quant + 80);
        float dmin = WeightLayout.HalfAt(quant + 82);
        int first = quant[2 * group];
        int second = quant[(2 * group) + 1];
        TLanes scaled = TLanes.Multiply(numbers, TLanes.Broadcast(d * (first & 15), d * (second & 15)));
        return TLanes.Subtract(scaled, TLanes.Broadcast(dmin * (first >> 4), dmin * (second >> 4)));
    }

    // Rows of quantised weights are whole blocks: loading refuses others.
    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A quantised row has no partial block.");
}
