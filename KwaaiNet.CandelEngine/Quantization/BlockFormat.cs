using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization;

/// <summary>Codes rows of blocks of one format.</summary>
internal sealed class BlockFormat<TFormat> : TensorFormat
    where TFormat : struct, IBlockFormat
{
    internal override GgmlType Type => TFormat.Type;

    internal override void Decode(ReadOnlySpan<byte> blocks, Span<float> values)
    {
        int bytes = TFormat.Type.BlockBytes();
        int groups = TFormat.Type.BlockLength() / BlockBits.GroupLength;
        for (; !values.IsEmpty; blocks = blocks[bytes..])
        {
            for (int group = 0; group < groups; group++, values = values[BlockBits.GroupLength..])
                TFormat.DecodeGroup(blocks[..bytes], group, values[..BlockBits.GroupLength]);
        }
    }

    internal override void Encode(ReadOnlySpan<float> values, Span<byte> blocks, bool search)
    {
        int bytes = TFormat.Type.BlockBytes();
        int length = TFormat.Type.BlockLength();
        Span<byte> plain = stackalloc byte[bytes];
        for (; !values.IsEmpty; values = values[length..], blocks = blocks[bytes..])
        {
            ReadOnlySpan<float> numbers = values[..length];
            Span<byte> block = blocks[..bytes];
            block.Clear();
            TFormat.EncodeBlock(numbers, block, search);
            if (!search)
                continue;

            // Scales are themselves rounded, so what was the better one may not stay so: keep what is.
            plain.Clear();
            TFormat.EncodeBlock(numbers, plain, search: false);
            if (Error(plain, numbers) < Error(block, numbers))
                plain.CopyTo(block);
        }
    }

    private static double Error(ReadOnlySpan<byte> block, ReadOnlySpan<float> values)
    {
        Span<float> decoded = stackalloc float[BlockBits.GroupLength];
        double error = 0;
        for (int at = 0; at < values.Length; at += BlockBits.GroupLength)
        {
            TFormat.DecodeGroup(block, at / BlockBits.GroupLength, decoded);
            for (int i = 0; i < decoded.Length; i++)
            {
                double off = (double)decoded[i] - values[at + i];
                error += off * off;
            }
        }

        return error;
    }
}
