using System.Buffers.Binary;
using System.Runtime.CompilerServices;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;

/// <summary>Moves the bits of four columns at a time from ggml's order into packed order.</summary>
internal static unsafe class PackedUnit
{
    /// <summary>Output rows in a unit.</summary>
    internal const int Rows = 16;

    /// <summary>Bytes of one step: a byte holds two columns, four apart, of one row; 4 bytes a row.</summary>
    internal const int LineBytes = 64;

    /// <summary>Columns of a block.</summary>
    internal const int Block = 32;

    private const uint LowNibbles = 0x0F0F0F0F;

    /// <summary>Writes the four lines of a block whose columns are the low (or high) nibbles of 32 bytes in order.</summary>
    internal static void PackNibbles(byte* source, int shift, byte* lines, int row)
    {
        for (int step = 0; step < 4; step++)
        {
            uint first = (Read(source + (8 * step)) >> shift) & LowNibbles;
            uint second = (Read(source + (8 * step) + 4) >> shift) & LowNibbles;
            Write(lines + (step * LineBytes) + (row * 4), first | (second << 4));
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static uint Read(byte* source) => BinaryPrimitives.ReadUInt32LittleEndian(new ReadOnlySpan<byte>(source, 4));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Write(byte* target, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(new Span<byte>(target, 4), value);

    /// <summary>Copies a binary16; false when it is infinite or not a number.</summary>
    internal static bool CopyHalf(byte* source, byte* target, int row)
    {
        ushort half = BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(source, 2));
        ((ushort*)target)[row] = half;
        return (half & 0x7C00) != 0x7C00;
    }
}
