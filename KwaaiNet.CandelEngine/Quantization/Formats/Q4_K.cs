using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 144 bytes for 256 numbers in 8 groups of 32:
//    0   f16  d, the scale of scales
//    2   f16  dmin, the scale of minima
//    4   u8[12]  6-bit scales and minima, as BlockBits unpacks them
//   16   u8[128]  byte 32p + l: number l of group 2p in the low nibble, of group 2p + 1 in the high one

/// <summary><see cref="GgmlType.Q4_K"/>.</summary>
internal readonly struct Q4_K : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q4_K;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        ReadOnlySpan<byte> packed = block.Slice(4, 12);
        float scale = BlockBits.Half(block) * BlockBits.PackedScale(packed, group);
        float minimum = BlockBits.Half(block, 2) * BlockBits.PackedMinimum(packed, group);
        ReadOnlySpan<byte> pairs = block.Slice(16 + (group / 2 * 32), 32);
        int shift = group % 2 * 4;
        for (int l = 0; l < 32; l++)
            values[l] = (scale * ((pairs[l] >> shift) & 15)) - minimum;
    }
}
