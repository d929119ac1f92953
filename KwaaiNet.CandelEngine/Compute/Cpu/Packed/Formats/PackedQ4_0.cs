using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

// A unit: 32 columns of 16 rows, 288 bytes, as many as in the file.
//   16 binary16 scales
//   4 lines of 64 bytes: byte 4 · row + c of line s holds column 8s + c in its low nibble and column 8s + 4 + c in its high one

/// <summary>Q4_0: weight = scale · (nibble − 8).</summary>
internal readonly unsafe struct PackedQ4_0 : IByteFormat
{
    private const int ScaleBytes = 2;
    private const int Lines = 2 * PackedUnit.Rows;

    public static int Columns => 32;

    public static int UnitBytes => Lines + (4 * PackedUnit.LineBytes);

    public static ActivationKind Activations => ActivationKind.Bytes;

    public static int StepsPerSum => 4;

    public static bool LessEight => true;

    public static bool ScaledHalves => false;

    public static bool HasMinimum => false;

    // ggml: byte j holds column j in its low nibble and column j + 16 in its high one.
    public static bool Pack(byte* source, byte* unit, int row)
    {
        byte* nibbles = source + ScaleBytes;
        for (int step = 0; step < 4; step++)
        {
            int shift = step < 2 ? 0 : 4;
            byte* from = nibbles + (8 * (step % 2));
            uint first = (PackedUnit.Read(from) >> shift) & 0x0F0F0F0F;
            uint second = (PackedUnit.Read(from + 4) >> shift) & 0x0F0F0F0F;
            PackedUnit.Write(unit + Lines + (step * PackedUnit.LineBytes) + (row * 4), first | (second << 4));
        }

        return PackedUnit.CopyHalf(source, unit, row);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes High<TLanes>(byte* unit, int block, int step, int row, TLanes high) where TLanes : struct, IRowLanes<TLanes> => high;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Step<TLanes>(byte* unit, int block, int step, int row, TLanes high, out TLanes first, out TLanes second) where TLanes : struct, IRowLanes<TLanes>
    {
        TLanes line = TLanes.Load(unit + Lines + (step * PackedUnit.LineBytes) + (row * 4));
        first = TLanes.And(line, TLanes.BroadcastByte(0x0F));
        second = TLanes.And(TLanes.ShiftRight16(line, 4), TLanes.BroadcastByte(0x0F));
    }

    public static TLanes HalfScale<TLanes>(byte* unit, int block, int half, int row) where TLanes : struct, IRowLanes<TLanes> => TLanes.Zero;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Scale<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes> => TLanes.LoadScales((ushort*)unit + row);

    public static TLanes Minimum<TLanes>(byte* unit, int block, int row) where TLanes : struct, IRowLanes<TLanes> => TLanes.Zero;
}
