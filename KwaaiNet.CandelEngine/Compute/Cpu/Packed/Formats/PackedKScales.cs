using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

// ggml packs eight scales and eight minimums of 6 bits in 12 bytes q:
//   block j < 4:   scale = low 6 bits of q[j],  minimum = low 6 bits of q[j + 4]
//   block j >= 4:  scale = low nibble of q[j + 4] with the top 2 bits of q[j − 4] above it,
//                  minimum = high nibble of q[j + 4] with the top 2 bits of q[j] above it

/// <summary>Scales and minimums that Q4_K and Q5_K have in common. Their binary16 scales are often subnormal, being parts of a larger scale.</summary>
internal static unsafe class PackedKScales
{
    /// <summary>Scale and minimum of a block, from the 12 bytes.</summary>
    internal static (byte Scale, byte Minimum) Of(byte* q, int block) => block < 4
        ? ((byte)(q[block] & 63), (byte)(q[block + 4] & 63))
        : ((byte)((q[block + 4] & 15) | (q[block - 4] >> 6 << 4)), (byte)((q[block + 4] >> 4) | (q[block] >> 6 << 4)));

    /// <summary>Copies d and dmin.</summary>
    internal static bool CopyHead(byte* source, byte* unit, int row) =>
        PackedUnit.CopyHalf(source, unit, row) & PackedUnit.CopyHalf(source + 2, unit + (2 * PackedUnit.Rows), row);

    /// <summary><c>d · sc</c>: exact, 11 bits times 6.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TLanes Scale<TLanes>(byte* unit, byte* scales, int row) where TLanes : struct, IRowLanes<TLanes> =>
        TLanes.Multiply(TLanes.LoadHalf((ushort*)unit + row), TLanes.ToFloat(TLanes.LoadBytes(scales + row)));

    /// <summary><c>−dmin · m</c>: exact.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static TLanes Minimum<TLanes>(byte* unit, byte* minimums, int row) where TLanes : struct, IRowLanes<TLanes> =>
        TLanes.Multiply(
            TLanes.LoadHalf((ushort*)unit + PackedUnit.Rows + row),
            TLanes.ToFloat(TLanes.SubtractIntegers(TLanes.Zero, TLanes.LoadBytes(minimums + row))));
}
