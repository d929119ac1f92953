using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

// A unit: 256 columns of 16 rows, 2,880 bytes (2,816 in the file).
//   16 binary16 scales d, 16 binary16 scales of minimums dmin
//   8 blocks: 16 bytes sc, 16 bytes m,
//             64 bytes of fifth bits: byte 4 · row + c holds column 8s + c in bit 2s and column 8s + 4 + c in bit 2s + 1,
//             4 lines of 64 bytes as in Q4_0

/// <summary>Q5_K: weight = d · sc · integer − dmin · m, integers of 5 bits.</summary>
internal readonly unsafe struct PackedQ5_K : IByteFormat
{
    private const int Head = 4 * PackedUnit.Rows;
    private const int Minimums = PackedUnit.Rows;
    private const int HighBits = 2 * PackedUnit.Rows;
    private const int Lines = HighBits + PackedUnit.LineBytes;
    private const int BlockBytes = Lines + (4 * PackedUnit.LineBytes);

    public static int Columns => 256;

    public static int UnitBytes => Head + (8 * BlockBytes);

    public static ActivationKind Activations => ActivationKind.Bytes;

    public static int StepsPerSum => 2;

    public static bool LessEight => false;

    public static bool ScaledHalves => false;

    public static bool HasMinimum => true;

    // ggml: d, dmin, 12 bytes of scales, 32 bytes whose bit b belongs to block b, then nibbles as in Q4_K.
    public static bool Pack(byte* source, byte* unit, int row)
    {
        byte* fifth = source + 16;
        for (int block = 0; block < 8; block++)
        {
            byte* target = unit + Head + (block * BlockBytes);
            (target[row], target[Minimums + row]) = PackedKScales.Of(source + 4, block);
            uint bits = 0;
            for (int i = 0; i < 8; i++) bits |= ((PackedUnit.Read(fifth + (4 * i)) >> block) & 0x01010101) << i;
            PackedUnit.Write(target + HighBits + (row * 4), bits);
            PackedUnit.PackNibbles(source + 48 + (block / 2 * 32), block % 2 * 4, target + Lines, row);
        }

        return PackedKScales.CopyHead(source, unit, row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes High<TLanes>(byte* unit, int block, int step, int row, TLanes high) where TLanes : struct, IRowLanes<TLanes> =>
        step == 0 ? TLanes.Load(unit + Head + (block * BlockBytes) + HighBits + (row * 4)) : TLanes.ShiftRight16(high, 2);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TLanes>(byte* unit, int block, int step, int row, TLanes high, out TLanes first, out TLanes second) where TLanes : struct, IRowLanes<TLanes>
    {
        TLanes line = TLanes.Load(unit + Head + (block * BlockBytes) + Lines + (step * PackedUnit.LineBytes) + (row * 4));
        first = TLanes.Or(TLanes.And(line, TLanes.BroadcastByte(0x0F)), TLanes.And(TLanes.ShiftLeft16(high, 4), TLanes.BroadcastByte(0x10)));
        second = TLanes.Or(
            TLanes.And(TLanes.ShiftRight16(line, 4), TLanes.BroadcastByte(0x0F)), TLanes.And(TLanes.ShiftLeft16(high, 3), TLanes.BroadcastByte(0x10)));
    }

    public static TLanes HalfScale<TLanes>(byte* unit, int block, int half, int row) where TLanes : struct, IRowLanes<TLanes> => TLanes.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Scale<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes> =>
        PackedKScales.Scale<TLanes>(unit, unit + Head + (block * BlockBytes), row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Minimum<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes> =>
        PackedKScales.Minimum<TLanes>(unit, unit + Head + (block * BlockBytes) + Minimums, row);
}
