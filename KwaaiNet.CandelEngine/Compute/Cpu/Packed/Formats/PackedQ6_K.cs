using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

// A unit: 256 columns of 16 rows, 3,360 bytes, as many as in the file.
//   16 binary16 scales d
//   8 blocks: 16 signed bytes of scales for the first 16 columns, 16 for the others,
//             2 lines of 64 bytes of upper bits: in line h, bits 0 and 1 of byte 4 · row + c belong to column 16h + c, then 2 bits each
//             to columns 16h + 4 + c, 16h + 8 + c, 16h + 12 + c,
//             4 lines of 64 bytes as in Q4_0

/// <summary>Q6_K: weight = d · scale · (integer − 32), integers of 6 bits.</summary>
internal readonly unsafe struct PackedQ6_K : IByteFormat
{
    private const int Head = 2 * PackedUnit.Rows;
    private const int HighBits = 2 * PackedUnit.Rows;
    private const int Lines = HighBits + (2 * PackedUnit.LineBytes);
    private const int BlockBytes = Lines + (4 * PackedUnit.LineBytes);

    public static int Columns => 256;

    public static int UnitBytes => Head + (8 * BlockBytes);

    public static ActivationKind Activations => ActivationKind.Bytes;

    public static int StepsPerSum => 1;

    public static bool LessEight => false;

    public static bool ScaledHalves => true;

    public static bool HasMinimum => false;

    // ggml: 128 bytes of nibbles, 64 bytes of upper bits, 16 signed scales, d. In each half of 128 columns, block q of four has its
    // nibbles in bytes 32 · (q mod 2) on, low for q < 2 and high above, and its upper bits at 2q of 32 bytes.
    public static bool Pack(byte* source, byte* unit, int row)
    {
        for (int block = 0; block < 8; block++)
        {
            int half = block / 4;
            int quarter = block % 4;
            byte* target = unit + Head + (block * BlockBytes);
            target[row] = source[192 + (2 * block)];
            target[PackedUnit.Rows + row] = source[192 + (2 * block) + 1];
            PackedUnit.PackNibbles(source + (64 * half) + (32 * (quarter % 2)), quarter / 2 * 4, target + Lines, row);

            byte* upper = source + 128 + (32 * half);
            for (int line = 0; line < 2; line++)
            {
                uint bits = 0;
                for (int i = 0; i < 4; i++) bits |= ((PackedUnit.Read(upper + (16 * line) + (4 * i)) >> (2 * quarter)) & 0x03030303) << (2 * i);
                PackedUnit.Write(target + HighBits + (line * PackedUnit.LineBytes) + (row * 4), bits);
            }
        }

        return PackedUnit.CopyHalf(source + 208, unit, row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes High<TLanes>(byte* unit, int block, int step, int row, TLanes high) where TLanes : struct, IRowLanes<TLanes> =>
        step % 2 == 0
            ? TLanes.Load(unit + Head + (block * BlockBytes) + HighBits + (step / 2 * PackedUnit.LineBytes) + (row * 4))
            : TLanes.ShiftRight16(high, 4);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TLanes>(byte* unit, int block, int step, int row, TLanes high, out TLanes first, out TLanes second) where TLanes : struct, IRowLanes<TLanes>
    {
        TLanes line = TLanes.Load(unit + Head + (block * BlockBytes) + Lines + (step * PackedUnit.LineBytes) + (row * 4));
        first = TLanes.Or(TLanes.And(line, TLanes.BroadcastByte(0x0F)), TLanes.And(TLanes.ShiftLeft16(high, 4), TLanes.BroadcastByte(0x30)));
        second = TLanes.Or(
            TLanes.And(TLanes.ShiftRight16(line, 4), TLanes.BroadcastByte(0x0F)), TLanes.And(TLanes.ShiftLeft16(high, 2), TLanes.BroadcastByte(0x30)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes HalfScale<TLanes>(byte* unit, int block, int half, int row) where TLanes : struct, IRowLanes<TLanes> =>
        TLanes.LoadSBytes((sbyte*)unit + Head + (block * BlockBytes) + (half * PackedUnit.Rows) + row);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Scale<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes> => TLanes.LoadHalf((ushort*)unit + row);

    public static TLanes Minimum<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes> => TLanes.Zero;
}
