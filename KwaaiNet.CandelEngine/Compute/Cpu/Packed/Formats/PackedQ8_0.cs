using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

// A unit: 32 columns of 16 rows, 544 bytes, as many as in the file.
//   16 binary16 scales
//   16 lines of 32 signed bytes: byte 2 · row + c of line s is column 2s + c

/// <summary>Q8_0: weight = scale · byte.</summary>
internal readonly unsafe struct PackedQ8_0 : IPackedFormat
{
    /// <summary>Where the lines start.</summary>
    internal const int Lines = 2 * PackedUnit.Rows;

    /// <summary>Bytes of a line.</summary>
    internal const int LineBytes = 2 * PackedUnit.Rows;

    public static int Columns => 32;

    public static int UnitBytes => Lines + (16 * LineBytes);

    public static ActivationKind Activations => ActivationKind.Shorts;

    public static bool Pack(byte* source, byte* unit, int row)
    {
        for (int line = 0; line < 16; line++)
            *(ushort*)(unit + Lines + (line * LineBytes) + (row * 2)) = Unsafe.ReadUnaligned<ushort>(source + 2 + (line * 2));
        return PackedUnit.CopyHalf(source, unit, row);
    }
}
