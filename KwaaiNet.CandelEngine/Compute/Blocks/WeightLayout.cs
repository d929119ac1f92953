using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>How the numbers of a weight row lie in memory. Layouts as <see cref="GgmlType"/> documents them.</summary>
internal static unsafe class WeightLayout
{
    /// <summary>Elements of a Q8_0 or Q4_0 block.</summary>
    internal const int QuantBlock = 32;

    internal const int Q8BlockBytes = 2 + QuantBlock;

    internal const int Q4BlockBytes = 2 + (QuantBlock / 2);

    private const float HalfBiasCorrection = 5.192296858534828e33f; // 2^112

    internal static bool IsKnown(GgmlType type) => type is GgmlType.F32 or GgmlType.F16 or GgmlType.Q8_0 or GgmlType.Q4_0;

    internal static long RowBytes(GgmlType type, int columns) => columns / type.BlockLength() * (long)type.BlockBytes();

    /// <summary>One element of a row. Exact: a binary16 scale times an 8-bit integer fits float32.</summary>
    internal static float Element(GgmlType type, byte* row, int index)
    {
        switch (type)
        {
            case GgmlType.F32:
                return BinaryPrimitives.ReadSingleLittleEndian(new ReadOnlySpan<byte>(row + (index * 4L), 4));
            case GgmlType.F16:
                return HalfAt(row + (index * 2L));
            case GgmlType.Q8_0:
                byte* q8 = row + (index / QuantBlock * (long)Q8BlockBytes);
                return HalfAt(q8) * (sbyte)q8[2 + (index % QuantBlock)];
            case GgmlType.Q4_0:
                byte* q4 = row + (index / QuantBlock * (long)Q4BlockBytes);
                int j = index % QuantBlock;
                int nibble = j < QuantBlock / 2 ? q4[2 + j] & 0x0F : q4[2 + j - (QuantBlock / 2)] >> 4;
                return HalfAt(q4) * (nibble - 8);
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, null);
        }
    }

    /// <summary>A binary16 as float32. The cast of .NET gives the same bits; it takes several times as long, once a block.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float HalfAt(byte* source)
    {
        int half = BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(source, 2));
        int moved = (half & 0x7FFF) << 13;
        int magnitude = BitConverter.SingleToInt32Bits(BitConverter.Int32BitsToSingle(moved) * HalfBiasCorrection);
        if (moved >= 0x7C00 << 13) magnitude |= 0x7F800000; // infinity or NaN
        return BitConverter.Int32BitsToSingle(magnitude | ((half & 0x8000) << 16));
    }
}
