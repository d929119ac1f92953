using KwaaiNet.CandelEngine.Quantization.Blocks;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;

/// <summary>The 6-bit scales and minima of a super-block of Q4_K or Q5_K, unpacked to a byte each.</summary>
internal static unsafe class KScalePacking
{
    /// <param name="packed">12 bytes.</param>
    /// <param name="target">8 bytes of scales, then 8 of minima.</param>
    internal static void Write(byte* packed, byte* target)
    {
        ReadOnlySpan<byte> source = new(packed, 12);
        for (int group = 0; group < 8; group++)
        {
            target[group] = (byte)BlockBits.PackedScale(source, group);
            target[8 + group] = (byte)BlockBits.PackedMinimum(source, group);
        }
    }
}
