using System.Buffers.Binary;
using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization;

/// <summary><see cref="GgmlType.F32"/>: little-endian binary32.</summary>
internal sealed class SingleFormat : TensorFormat
{
    internal override GgmlType Type => GgmlType.F32;

    internal override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        if (BitConverter.IsLittleEndian)
        {
            blocks[..(values.Length * sizeof(float))].CopyTo(MemoryMarshal.AsBytes(values));
            return;
        }

        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(blocks[(i * sizeof(float))..]);
    }

    internal override void Encode(ReadOnlySpan<float> values, Span<byte> blocks, bool search)
    {
        for (int i = 0; i < values.Length; i++)
            BinaryPrimitives.WriteSingleLittleEndian(blocks[(i * sizeof(float))..], values[i]);
    }
}
