using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Quantization;

/// <summary><see cref="GgmlType.BF16"/>: the upper 16 bits of a binary32, little-endian.</summary>
internal sealed class BrainFormat : TensorFormat
{
    internal override GgmlType Type => GgmlType.BF16;

    internal override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = BitConverter.Int32BitsToSingle(BlockBits.UInt16(blocks, 2 * i) << 16);
    }
}
