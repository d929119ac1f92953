using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;
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
}
