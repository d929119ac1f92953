using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>The function on the gate of a feed-forward layer, times what it gates.</summary>
internal static class Gates
{
    internal static float Apply(int activation, float gate, float up)
    {
        float bent = activation == (int)GateActivation.GeluTanh ? DeviceMath.Gelu(gate) : gate / Rounded.Add(1f, DeviceMath.Exp(-gate));
        return Rounded.Multiply(bent, up);
    }

    /// <summary>The result of one output: 0 beyond the last.</summary>
    /// <param name="gate">The gate's product.</param>
    /// <param name="up">The up projection's.</param>
    /// <param name="output">The output.</param>
    /// <param name="width">How many there are.</param>
    /// <param name="bias">The gate's biases, then the up projection's.</param>
    /// <param name="hasBias">1 where they are there.</param>
    /// <param name="activation">The function on the gate.</param>
    internal static float Close(float gate, float up, int output, int width, ArrayView<float> bias, int hasBias, int activation)
    {
        if (output >= width) return 0f;

        float gated = gate;
        float upward = up;
        if (hasBias != 0)
        {
            gated = Rounded.Add(gate, bias[output]);
            upward = Rounded.Add(up, bias[output + width]);
        }

        return Apply(activation, gated, upward);
    }
}
