using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

/// <summary>F16: a unit is 16 numbers of binary16.</summary>
internal readonly unsafe struct PackedHalf : IFloatFormat
{
    private const ushort Exponent = 0x7C00;

    public static int Columns => 1;

    public static int UnitBytes => PackedUnit.Rows * sizeof(ushort);

    public static ActivationKind Activations => ActivationKind.Single;

    public static bool Pack(byte* source, byte* unit, int row)
    {
        ushort bits = Unsafe.ReadUnaligned<ushort>(source);
        ((ushort*)unit)[row] = bits;
        return (bits & Exponent) != Exponent;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* unit, int row) where TLanes : struct, IRowLanes<TLanes> => TLanes.LoadHalf((ushort*)unit + row);
}
