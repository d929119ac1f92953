using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 82 bytes for 256 numbers in 32 points of eight, four points a group of 32:
//    0   f16  d
//    2   u8[32]  low eight bits of the points
//   34   u8[32]  signs of the points, bit j for number j
//   66   u8[8]  group g: upper two bits of its point p are bits 2p, 2p + 1
//   74   u8[8]  group g: scale of its first two points in the low nibble, of the others in the high one

/// <summary><see cref="GgmlType.IQ2_S"/>.</summary>
internal readonly struct IQ2_S : IBlockFormat
{
    public static GgmlType Type => GgmlType.IQ2_S;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float d = BlockBits.Half(block);
        for (int p = 0; p < 4; p++)
        {
            float scale = d * (0.5f + ((block[74 + group] >> (p / 2 * 4)) & 15)) * 0.25f;
            int upper = (block[66 + group] >> (2 * p)) & 3;
            ReadOnlySpan<sbyte> point = Codebooks.Codebook.IQ2_S.Point(block[2 + (4 * group) + p] | (upper << 8));
            int signs = block[34 + (4 * group) + p];
            for (int j = 0; j < 8; j++)
                values[(8 * p) + j] = scale * point[j] * BlockBits.Sign(signs, j);
        }
    }
}
