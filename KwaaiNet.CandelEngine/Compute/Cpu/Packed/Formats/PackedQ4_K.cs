using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

// A unit: 256 columns of 16 rows, 2,368 bytes (2,304 in the file: scales and minimums of 6 bits take 8 here).
//   16 binary16 scales d, 16 binary16 scales of minimums dmin
//   8 blocks: 16 bytes sc, 16 bytes m, 4 lines of 64 bytes as in Q4_0

/// <summary>Q4_K: weight = d · sc · nibble − dmin · m.</summary>
internal readonly unsafe struct PackedQ4_K : IByteFormat
{
    private const int Head = 4 * PackedUnit.Rows;
    private const int Minimums = PackedUnit.Rows;
    private const int Lines = 2 * PackedUnit.Rows;
    private const int BlockBytes = Lines + (4 * PackedUnit.LineBytes);

    public static int Columns => 256;

    public static int UnitBytes => Head + (8 * BlockBytes);

    public static ActivationKind Activations => ActivationKind.Bytes;

    public static int StepsPerSum => 4;

    public static bool LessEight => false;

    public static bool ScaledHalves => false;

    public static bool HasMinimum => true;

    // ggml: d, dmin, 12 bytes of scales, then 32 bytes for each two blocks: the first in low nibbles, the second in high ones.
    public static bool Pack(byte* source, byte* unit, int row)
    {
        for (int block = 0; block < 8; block++)
        {
            byte* target = unit + Head + (block * BlockBytes);
            (target[row], target[Minimums + row]) = PackedKScales.Of(source + 4, block);
            PackedUnit.PackNibbles(source + 16 + (block / 2 * 32), block % 2 * 4, target + Lines, row);
        }

        return PackedKScales.CopyHead(source, unit, row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes High<TLanes>(byte* unit, int block, int step, int row, TLanes high) where TLanes : struct, IRowLanes<TLanes> => high;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TLanes>(byte* unit, int block, int step, int row, TLanes high, out TLanes first, out TLanes second) where TLanes : struct, IRowLanes<TLanes>
    {
        TLanes line = TLanes.Load(unit + Head + (block * BlockBytes) + Lines + (step * PackedUnit.LineBytes) + (row * 4));
        first = TLanes.And(line, TLanes.BroadcastByte(0x0F));
        second = TLanes.And(TLanes.ShiftRight16(line, 4), TLanes.BroadcastByte(0x0F));
    }

    public static TLanes HalfScale<TLanes>(byte* unit, int block, int half, int row) where TLanes : struct, IRowLanes<TLanes> => TLanes.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Scale<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes> =>
        PackedKScales.Scale<TLanes>(unit, unit + Head + (block * BlockBytes), row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Minimum<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes> =>
        PackedKScales.Minimum<TLanes>(unit, unit + Head + (block * BlockBytes) + Minimums, row);
}
