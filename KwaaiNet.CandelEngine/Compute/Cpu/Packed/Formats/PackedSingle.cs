using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

/// <summary>F32: a unit is 16 numbers of float32.</summary>
internal readonly unsafe struct PackedSingle : IFloatFormat
{
    private const uint Exponent = 0x7F800000;

    public static int Columns => 1;

    public static int UnitBytes => PackedUnit.Rows * sizeof(uint);

    public static ActivationKind Activations => ActivationKind.Single;

    public static bool Pack(byte* source, byte* unit, int row)
    {
        uint bits = Unsafe.ReadUnaligned<uint>(source);
        ((uint*)unit)[row] = bits;
        return (bits & Exponent) != Exponent;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static TLanes Load<TLanes>(byte* unit, int row) where TLanes : struct, IRowLanes<TLanes> => TLanes.Load((uint*)unit + row);
}
