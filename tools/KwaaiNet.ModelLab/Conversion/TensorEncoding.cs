using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.ModelLab.Conversion;

/// <summary>Numbers to a tensor's bytes.</summary>
internal static class TensorEncoding
{
    // Blocks one thread takes at a time: codebook formats need milliseconds for one.
    private const int Portion = 64;

    /// <summary>Encodes whole rows, on all processors; blocks do not know of one another, so the bytes are the same.</summary>
    /// <param name="type">The tensor's type.</param>
    /// <param name="values">Its numbers, rows one after another.</param>
    public static byte[] Encode(GgmlType type, float[] values)
    {
        int blocks = values.Length / type.BlockLength();
        var bytes = new byte[blocks * type.BlockBytes()];
        Parallel.For(0, (blocks + Portion - 1) / Portion, portion =>
        {
            int first = portion * Portion;
            int count = Math.Min(Portion, blocks - first);
            BlockEncoder.Encode(
                type,
                values.AsSpan(first * type.BlockLength(), count * type.BlockLength()),
                bytes.AsSpan(first * type.BlockBytes(), count * type.BlockBytes()));
        });
        return bytes;
    }
}
