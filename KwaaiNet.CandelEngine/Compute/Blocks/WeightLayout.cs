using System.Runtime.CompilerServices;
using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>How the numbers of a weight row lie in memory. Layouts as <see cref="GgmlType"/> documents them; every type of it can be run.</summary>
internal static unsafe class WeightLayout
{
    /// <summary>Elements of a Q8_0 or Q4_0 block.</summary>
    internal const int QuantBlock = 32;

    internal const int Q8BlockBytes = 2 + QuantBlock;

    internal const int Q4BlockBytes = 2 + (QuantBlock / 2);

    internal static bool IsKnown(GgmlType type) => Enum.IsDefined(type);

    internal static long RowBytes(GgmlType type, int columns) => columns / type.BlockLength() * (long)type.BlockBytes();

    /// <summary>Decodes elements <c>[first, first + count)</c> of a row by the formats' definition: the scalar twin of every vector decoder.</summary>
    /// <param name="type">How the row is stored.</param>
    /// <param name="row">The row.</param>
    /// <param name="first">A multiple of the type's block length.</param>
    /// <param name="values">Whole blocks of numbers.</param>
    internal static void Decode(GgmlType type, byte* row, int first, Span<float> values)
    {
        byte* blocks = row + (first / type.BlockLength() * (long)type.BlockBytes());
        // A row may exceed what a span of bytes can hold.
        const int Most = 1 << 20;
        TensorFormat format = TensorFormat.Of(type);
        while (!values.IsEmpty)
        {
            int count = Math.Min(Most, values.Length);
            int bytes = (int)RowBytes(type, count);
            format.Decode(new ReadOnlySpan<byte>(blocks, bytes), values[..count]);
            blocks += bytes;
            values = values[count..];
        }
    }

    /// <summary>One element of a row. To decode many, <see cref="Decode"/> takes a fraction of the time.</summary>
    internal static float Element(GgmlType type, byte* row, int index)
    {
        int length = type.BlockLength();
        Span<float> block = stackalloc float[256];
        Decode(type, row, index / length * length, block[..length]);
        return block[index % length];
    }

    /// <summary>A binary16 as float32.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float HalfAt(byte* source) => BlockBits.Half(new ReadOnlySpan<byte>(source, 2));
}
