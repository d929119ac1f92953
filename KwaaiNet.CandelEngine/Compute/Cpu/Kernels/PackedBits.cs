using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Unpacks small integers, 32 at a time, into signed bytes: 128-bit operations that every processor has.</summary>
internal static unsafe class PackedBits
{
    /// <summary>Bits <c>[shift, shift + count)</c> of 16 bytes.</summary>
    /// <param name="bytes">The bytes.</param>
    /// <param name="shift">0 to 7.</param>
    /// <param name="mask">2^count − 1.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> Field(Vector128<byte> bytes, int shift, int mask) =>
        // What a 16-bit shift brings in from the neighbour is beyond the mask.
        (bytes.AsUInt16() >>> shift).AsByte() & Vector128.Create((byte)mask);

    /// <summary>Byte j is <paramref name="value"/> where bit j is set, else 0.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<byte> Spread(int sixteenBits, byte value)
    {
        Vector128<byte> bit = Vector128.Create(1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, (byte)128);
        Vector128<byte> repeated = Vector128.Shuffle(
            Vector128.CreateScalarUnsafe((ushort)sixteenBits).AsByte(), Vector128.Create(0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, (byte)1));
        return Vector128.Equals(repeated & bit, bit) & Vector128.Create(value);
    }

    /// <summary>Entries of a table of 16.</summary>
    /// <param name="table">The table.</param>
    /// <param name="places">0 to 15.</param>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static Vector128<sbyte> Look(ReadOnlySpan<sbyte> table, Vector128<byte> places) =>
        Vector128.ShuffleNative(Vector128.Create(table), places.AsSByte());
}
