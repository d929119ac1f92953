using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Quantization;

namespace KwaaiNet.ModelLab.Conversion;

/// <summary>Numbers to a tensor's bytes.</summary>
internal static class TensorEncoding
{
    /// <summary>Encodes whole rows.</summary>
    /// <param name="type">The tensor's type.</param>
    /// <param name="values">Its numbers, rows one after another.</param>
    public static byte[] Encode(GgmlType type, float[] values)
    {
        var bytes = new byte[values.Length / type.BlockLength() * type.BlockBytes()];
        switch (type)
        {
            case GgmlType.F32: MemoryMarshal.AsBytes<float>(values).CopyTo(bytes); break;
            case GgmlType.F16: MemoryMarshal.AsBytes<Half>(Array.ConvertAll(values, value => (Half)value)).CopyTo(bytes); break;
            case GgmlType.Q8_0: Q8_0.Encode(values, bytes); break;
            case GgmlType.Q4_0: Q4_0.Encode(values, bytes); break;
            default: throw new NotSupportedException($"There is no encoder for {type}.");
        }

        return bytes;
    }
}
