using ILGPU;
using ILGPU.IR.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using GeluConstants = KwaaiNet.CandelEngine.Compute.Cpu.Kernels.Gelu;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Number formats and e^x in operations that every device has; ILGPU's Half needs a capability that OpenCL devices may lack.</summary>
internal static class DeviceMath
{
    /// <summary>Widens binary16 exactly: exponent and fraction move up 13 bits, and 2^112 corrects the exponent's bias.</summary>
    [IntrinsicImplementation]
    internal static float HalfToSingle(int half)
    {
        int moved = (half & 0x7FFF) << 13;
        int magnitude = (int)Interop.FloatAsInt(Interop.IntAsFloat((uint)moved) * 5.192296858534828e33f);
        if (moved >= 0x0F800000) magnitude |= 0x7F800000; // infinity or NaN
        return Interop.IntAsFloat((uint)(magnitude | ((half & 0x8000) << 16)));
    }

    /// <summary>The nearest value that a binary16 can hold, ties to even; beyond ±65504 saturates, NaN stays.</summary>
    internal static float RoundToHalf(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        uint sign = bits & 0x80000000;
        uint magnitude = bits ^ sign;
        if (magnitude > 0x7F800000) return value;
        if (magnitude > 0x477FE000) return Interop.IntAsFloat(sign | 0x477FE000); // 65504

        if (magnitude < 0x38800000)
        {
            // Below 2^-14 binary16's step is 2^-24, which is float32's step from 0.5 on.
            float stepped = Interop.IntAsFloat(magnitude) + 0.5f;
            return Interop.IntAsFloat(sign | Interop.FloatAsInt(stepped - 0.5f));
        }

        uint rounded = (magnitude + 0x0FFF + ((magnitude >> 13) & 1)) & 0xFFFFE000;
        return Interop.IntAsFloat(sign | rounded);
    }

    /// <summary>e^x, by the steps of <see cref="Exponential"/>.</summary>
    internal static float Exp(float x)
    {
        if (x < Exponential.Lowest) return 0;

        float clamped = x > Exponential.Highest ? Exponential.Highest : x;
        float shifted = (clamped * Exponential.Log2E) + Exponential.Shift;
        float n = shifted - Exponential.Shift;
        float r = clamped - (n * Exponential.Ln2High) - (n * Exponential.Ln2Low);
        float p = (((((((((Exponential.C7 * r) + Exponential.C6) * r) + Exponential.C5) * r) + Exponential.C4) * r) + Exponential.C3) * r) + Exponential.C2;
        p = (p * (r * r)) + r + 1f;
        return p * Interop.IntAsFloat((Interop.FloatAsInt(shifted) << 23) + (uint)Exponential.OneBits);
    }

    /// <summary>GELU as the cpu backend has it, rounded to binary16 before and after.</summary>
    internal static float Gelu(float x)
    {
        if (!(x < GeluConstants.Bound)) return x;

        float inside = RoundToHalf(x < -GeluConstants.Bound ? -GeluConstants.Bound : x);
        float bent = (inside * inside * GeluConstants.Cubic) + 1f;
        return RoundToHalf(inside / (1f + Exp(inside * bent * GeluConstants.Slope)));
    }

    /// <summary><c>cap · tanh(x / cap)</c>, tanh from one exponential.</summary>
    internal static float Softcap(float x, float cap) => (1f - (2f / (1f + Exp(x * (2f / cap))))) * cap;
}
