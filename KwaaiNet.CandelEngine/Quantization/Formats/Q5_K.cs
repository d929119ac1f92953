using System.Numerics.Tensors;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Formats;

// Block, 176 bytes for 256 numbers in 8 groups of 32:
//    0   f16  d, the scale of scales
//    2   f16  dmin, the scale of minima
//    4   u8[12]  6-bit scales and minima, as BlockBits unpacks them
//   16   u8[32]  fifth bits: number l of group g is bit g of byte l
//   48   u8[128]  byte 32p + l: low four bits of number l of group 2p in the low nibble, of group 2p + 1 in the high one

/// <summary><see cref="GgmlType.Q5_K"/>.</summary>
internal readonly struct Q5_K : IBlockFormat
{
    public static GgmlType Type => GgmlType.Q5_K;

    public static void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values)
    {
        ReadOnlySpan<byte> packed = block.Slice(4, 12);
        float scale = BlockBits.Half(block) * BlockBits.PackedScale(packed, group);
        float minimum = BlockBits.Half(block, 2) * BlockBits.PackedMinimum(packed, group);
        ReadOnlySpan<byte> fifths = block.Slice(16, 32);
        ReadOnlySpan<byte> pairs = block.Slice(48 + (group / 2 * 32), 32);
        int shift = group % 2 * 4;
        for (int l = 0; l < 32; l++)
            values[l] = (scale * (((pairs[l] >> shift) & 15) + (((fifths[l] >> group) & 1) * 16))) - minimum;
    }

    public static void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search)
    {
        Span<float> scales = stackalloc float[8];
        Span<float> minima = stackalloc float[8];
        for (int group = 0; group < 8; group++)
            (scales[group], minima[group]) = ScaleSearch.Affine(values.Slice(32 * group, 32), 31, search);
        float d = BlockBits.WriteHalf(block, 0, TensorPrimitives.Max<float>(scales) / 63);
        float dmin = BlockBits.WriteHalf(block, 2, TensorPrimitives.Max<float>(minima) / 63);
        Span<byte> packedScales = stackalloc byte[8];
        Span<byte> packedMinima = stackalloc byte[8];
        for (int group = 0; group < 8; group++)
        {
            packedScales[group] = (byte)ScaleSearch.Round(scales[group] * ScaleSearch.Inverse(d), 0, 63);
            packedMinima[group] = (byte)ScaleSearch.Round(minima[group] * ScaleSearch.Inverse(dmin), 0, 63);
            float inverse = ScaleSearch.Inverse(d * packedScales[group]);
            float minimum = dmin * packedMinima[group];
            for (int i = 32 * group; i < 32 * (group + 1); i++)
            {
                int number = ScaleSearch.Round((values[i] + minimum) * inverse, 0, 31);
                block[48 + (group / 2 * 32) + (i % 32)] |= (byte)((number & 15) << (group % 2 * 4));
                block[16 + (i % 32)] |= (byte)((number >> 4) << group);
            }
        }

        BlockBits.Pack(block.Slice(4, 12), packedScales, packedMinima);
    }
}
