using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

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

    /// <summary>To nearest, ties to even.</summary>
    internal override void Encode(ReadOnlySpan<float> values, Span<byte> blocks, bool search)
    {
        const int Infinity = 0x7F80;
        for (int i = 0; i < values.Length; i++)
        {
            uint bits = BitConverter.SingleToUInt32Bits(values[i]);
            uint rounded = (bits + 0x7FFF + ((bits >> 16) & 1)) >> 16;
            if ((rounded & Infinity) == Infinity)
                throw new QuantizationException($"{values[i]} rounds to infinity as BF16. Store the tensor as F32.");
            BinaryPrimitives.WriteUInt16LittleEndian(blocks[(2 * i)..], (ushort)rounded);
        }
    }
}
