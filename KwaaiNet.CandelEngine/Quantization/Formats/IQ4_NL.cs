using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 18 bytes for 32 numbers:
//   0   f16  scale
//   2   u8[16]  byte j: the place in the table of number j in the low nibble, of number j + 16 in the high one

/// <summary><see cref="GgmlType.IQ4_NL"/>.</summary>
internal readonly struct IQ4_NL : IBlockFormat
{
    /// <summary>What nibbles stand for: closer together near zero, where weights are dense. ggml's <c>kvalues_iq4nl</c>.</summary>
    internal static ReadOnlySpan<sbyte> Table => [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];

    public static GgmlType Type => GgmlType.IQ4_NL;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        float scale = BlockBits.Half(block);
        for (int j = 0; j < 16; j++)
        {
            int pair = block[2 + j];
            values[j] = scale * Table[pair & 15];
            values[j + 16] = scale * Table[pair >> 4];
        }
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        float inverse = ScaleSearch.Inverse(BlockBits.WriteHalf(block, 0, ScaleSearch.Table(values, Table, search)));
        for (int j = 0; j < 16; j++)
        {
            int low = ScaleSearch.Nearest(Table, values[j] * inverse);
            int high = ScaleSearch.Nearest(Table, values[j + 16] * inverse);
            block[2 + j] = (byte)(low | (high << 4));
        }
    }
}
