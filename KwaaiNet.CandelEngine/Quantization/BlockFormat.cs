using KwaaiNet.CandelEngine.Gguf;

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
}
