namespace KwaaiNet.CandelEngine.Safetensors;

/// <summary>One tensor's place in a mapped safetensors file.</summary>
/// <param name="Name">The tensor's name, as the training library called it: <c>model.layers.0.self_attn.q_proj.weight</c>.</param>
/// <param name="Type">How its numbers are stored.</param>
/// <param name="Shape">Length of each dimension, the contiguous one last; empty for a single number.</param>
/// <param name="Address">Where its first byte is mapped; valid until the file is closed. Not aligned to more than a byte.</param>
/// <param name="ByteLength">Bytes it occupies; checked against shape, type and file when it was opened.</param>
public readonly record struct SafetensorsTensor(string Name, SafetensorsType Type, IReadOnlyList<long> Shape, nint Address, long ByteLength)
{
    /// <summary>The tensor's bytes. Tensors beyond 2 GiB are reached through <see cref="Address"/>.</summary>
    public unsafe ReadOnlySpan<byte> Bytes => new((void*)Address, checked((int)ByteLength));
}
