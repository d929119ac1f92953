using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Quantization.Formats;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Weights stored as IQ4_XS: a block of 256 is eight groups of 32, each with a scale.</summary>
internal readonly unsafe struct Iq4SuperWeights : IWeightFormat
{
    private const int BlockBytes = 136;
    private const int Groups = 8;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Decode<TLanes>(byte* row, int block) where TLanes : struct, ILanes<TLanes>
    {
        byte* quant = row + (block / Groups * (long)BlockBytes);
        int group = block % Groups;
        Vector128<byte> pairs = Vector128.Load(quant + 8 + (16 * group));
        TLanes numbers = TLanes.FromSBytes(
            PackedBits.Look(IQ4_NL.Table, PackedBits.Field(pairs, 0, 15)), PackedBits.Look(IQ4_NL.Table, PackedBits.Field(pairs, 4, 15)));
        float scale = WeightLayout.HalfAt(quant) * IQ4_XS.Scale(new ReadOnlySpan<byte>(quant, 8), group);
        return TLanes.Multiply(numbers, TLanes.Broadcast(scale));
    }

    // Rows of quantised weights are whole blocks: loading refuses others.
    public static TLanes DecodeTail<TLanes>(byte* row, int block, int count) where TLanes : struct, ILanes<TLanes> =>
        throw new UnreachableException("A quantised row has no partial block.");
}
