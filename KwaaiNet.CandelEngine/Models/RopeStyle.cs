namespace KwaaiNet.CandelEngine.Models;

/// <summary>Which two numbers of a head RoPE turns together.</summary>
public enum RopeStyle
{
    /// <summary>Pair i is <c>(2i, 2i + 1)</c>, as in the RoFormer paper and in Llama's own weights.</summary>
    Neighbours,

    /// <summary>Pair i is <c>(i, i + RopeSize / 2)</c>, as in GPT-NeoX and in Hugging Face's weights.</summary>
    Halves,
}
