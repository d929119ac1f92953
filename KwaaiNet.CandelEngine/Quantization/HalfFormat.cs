using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization;

/// <summary><see cref="GgmlType.F16"/>: little-endian binary16.</summary>
internal sealed class HalfFormat : TensorFormat
{
    internal override GgmlType Type => GgmlType.F16;

    internal override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = BlockBits.Half(blocks, 2 * i);
    }

    internal override void Encode(ReadOnlySpan<float> values, Span<byte> blocks, bool search)
    {
        for (int i = 0; i < values.Length; i++)
            BlockBits.WriteHalf(blocks, 2 * i, values[i]);
    }
}
