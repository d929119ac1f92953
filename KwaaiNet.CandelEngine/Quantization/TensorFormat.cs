using System.Collections.Frozen;
using KwaaiNet.CandelEngine.Quantization.Blocks;
using KwaaiNet.CandelEngine.Quantization.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Quantization;

/// <summary>The coding of one <see cref="GgmlType"/>: whole blocks to float32 and back.</summary>
internal abstract class TensorFormat
{
    private static readonly FrozenDictionary<GgmlType, TensorFormat> s_all = new TensorFormat[]
    {
        new SingleFormat(), new HalfFormat(), new BrainFormat(),
        new BlockFormat<Q4_0>(), new BlockFormat<Q4_1>(), new BlockFormat<Q5_0>(), new BlockFormat<Q5_1>(), new BlockFormat<Q8_0>(),
        new BlockFormat<Q2_K>(), new BlockFormat<Q3_K>(), new BlockFormat<Q4_K>(), new BlockFormat<Q5_K>(), new BlockFormat<Q6_K>(),
        new BlockFormat<IQ1_S>(), new BlockFormat<IQ1_M>(), new BlockFormat<IQ2_XXS>(), new BlockFormat<IQ2_XS>(), new BlockFormat<IQ2_S>(),
        new BlockFormat<IQ3_XXS>(), new BlockFormat<IQ3_S>(), new BlockFormat<IQ4_NL>(), new BlockFormat<IQ4_XS>(),
        new BlockFormat<TQ1_0>(), new BlockFormat<TQ2_0>(), new BlockFormat<MXFP4>(),
    }.ToFrozenDictionary(format => format.Type);

    /// <summary>The type.</summary>
    internal abstract GgmlType Type { get; }

    /// <summary>The coding of a type.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is none of <see cref="GgmlType"/>'s.</exception>
    internal static TensorFormat Of(GgmlType type) => s_all.TryGetValue(type, out TensorFormat? format)
        ? format
        : throw new ArgumentOutOfRangeException(nameof(type), type, "Not a tensor type this engine knows.");

    /// <summary>Decodes whole blocks.</summary>
    /// <param name="blocks">The blocks; as many as the values need.</param>
    /// <param name="values">As many numbers as whole blocks hold.</param>
    internal abstract void Decode(ReadOnlySpan<byte> blocks, Span<float> values);

    /// <summary>Encodes whole blocks of finite numbers.</summary>
    /// <param name="values">As many numbers as whole blocks hold.</param>
    /// <param name="blocks">The blocks.</param>
    /// <param name="search">Whether to look for the best scales; else they come from the extremes alone.</param>
    /// <exception cref="QuantizationException">A number is too large for the format.</exception>
    internal abstract void Encode(ReadOnlySpan<float> values, Span<byte> blocks, bool search);
}
