using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Models;

/// <summary>One tensor's place in a mapped model file.</summary>
/// <param name="Name">The tensor's name.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Rows">Output features (1 for a vector).</param>
/// <param name="Columns">Input features: the contiguous dimension.</param>
/// <param name="Address">Where its first byte is mapped; valid until the model file is disposed.</param>
/// <param name="ByteLength">Bytes it occupies; checked against the file when it was opened.</param>
public readonly record struct TensorData(string Name, GgmlType Type, int Rows, int Columns, nint Address, long ByteLength)
{
    /// <summary>The tensor's bytes. Tensors beyond 2 GiB are reached through <see cref="Address"/>.</summary>
    public unsafe ReadOnlySpan<byte> Bytes => new((void*)Address, checked((int)ByteLength));
}
