namespace KwaaiNet.CandelEngine.Models;

/// <summary>The function on the gate of a gated feed-forward layer, <c>down(f(gate(x)) · up(x))</c>.</summary>
/// <remarks>Source: Shazeer, "GLU Variants Improve Transformer", arXiv:2002.05202.</remarks>
public enum GateActivation
{
    /// <summary><c>x / (1 + e^−x)</c>.</summary>
    Silu,

    /// <summary><c>x / 2 · (1 + tanh(√(2/π) · (x + 0.044715·x³)))</c>, the usual approximation of GELU.</summary>
    GeluTanh,
}
