using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization.Blocks;

/// <summary>A storage type that packs numbers in blocks. A new one is a file in <c>Formats</c> and a line in <see cref="TensorFormat"/>.</summary>
/// <remarks>
/// Decoding is the format's definition: float32 operations in the order of ggml's <c>dequantize_row_*</c>, none fused, so that the result
/// is the same to the last bit everywhere. Blocks come from files: every bit pattern must decode to something, if only to NaN.
/// </remarks>
internal interface IBlockFormat
{
    /// <summary>The type; its block's length and bytes are <see cref="GgmlTypeLayout"/>'s.</summary>
    static abstract GgmlType Type { get; }

    /// <summary>Decodes 32 numbers of a block: every format scales runs of 8, 16 or 32, so a group needs nothing from its neighbours.</summary>
    /// <param name="block">The block, and nothing after it is read.</param>
    /// <param name="group">Which 32 of the block, from 0; always 0 where the block is 32.</param>
    /// <param name="values">Where they go; at least 32.</param>
    static abstract void DecodeGroup(ReadOnlySpan<byte> block, int group, Span<float> values);

    /// <summary>Encodes the finite numbers of one block.</summary>
    /// <param name="values">As many as the block holds.</param>
    /// <param name="block">Where it goes; all zeros when it comes.</param>
    /// <param name="search">Whether to look for the best scales; else they come from the extremes alone. The legacy formats, whose rounding ggml fixed, make no difference.</param>
    /// <exception cref="QuantizationException">A number is too large for the format.</exception>
    static abstract void EncodeBlock(ReadOnlySpan<float> values, Span<byte> block, bool search);
}
