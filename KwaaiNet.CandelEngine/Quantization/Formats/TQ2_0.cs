using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 66 bytes for 256 numbers of −1, 0, 1 and 2:
//    0   u8[64]  two bits a number: number 128h + 32s + l is bits 2s, 2s + 1 of byte 32h + l, plus 1
//   64   f16  scale

/// <summary><see cref="GgmlType.TQ2_0"/>.</summary>
internal readonly struct TQ2_0 : IBlockFormat
{
    public static GgmlType Type => GgmlType.TQ2_0;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block, 64);
        ReadOnlySpan<byte> bits = block.Slice(group / 4 * 32, 32);
        int shift = group % 4 * 2;
        for (int l = 0; l < 32; l++)
            values[l] = (((bits[l] >> shift) & 3) - 1) * scale;
    }
}
