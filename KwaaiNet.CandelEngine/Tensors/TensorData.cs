namespace KwaaiNet.CandelEngine.Tensors;

/// <summary>One tensor's place in a mapped model file.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Rows">Output features (1 for a vector): the product of all dimensions but the first, so a stack of matrices counts the rows of all.</param>
/// <param name="Columns">Input features: the contiguous dimension.</param>
/// <param name="Address">Where its first byte is mapped; valid until the model file is disposed.</param>
/// <param name="ByteLength">Bytes it occupies; checked against the file when it was opened.</param>
/// <param name="Slices">Matrices stacked in the tensor, one behind the other: the product of the dimensions beyond the second. 1 for a vector or a matrix; the experts of a mixture.</param>
public readonly record struct TensorData(string Name, GgmlType Type, int Rows, int Columns, nint Address, long ByteLength, int Slices = 1)
{
    /// <summary>One of the stacked matrices, as a tensor of its own.</summary>
    /// <param name="index">Which, from 0.</param>
    /// <exception cref="ArgumentOutOfRangeException">There are not so many.</exception>
    public TensorData Slice(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, Slices);
        long bytes = ByteLength / Slices;
        return this with { Name = $"{Name}[{index}]", Rows = Rows / Slices, Address = Address + (nint)(index * bytes), ByteLength = bytes, Slices = 1 };
    }

    /// <summary>The tensor's bytes. Tensors beyond 2 GiB are reached through <see cref="Address"/>.</summary>
    public unsafe ReadOnlySpan<byte> Bytes => new((void*)Address, checked((int)ByteLength));
}
