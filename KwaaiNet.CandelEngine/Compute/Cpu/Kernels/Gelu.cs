namespace KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

/// <summary>Constants of GELU's tanh approximation, <c>x / (1 + e^(Slope · x · (1 + Cubic · x²)))</c>.</summary>
/// <remarks>Source: Hendrycks and Gimpel, arXiv:1606.08415; (1 + tanh u) / 2 is 1 / (1 + e^−2u).</remarks>
internal static class Gelu
{
    internal const float Cubic = 0.044715f;

    /// <summary>−2 · √(2/π).</summary>
    internal const float Slope = -1.5957691216057308f;
}
