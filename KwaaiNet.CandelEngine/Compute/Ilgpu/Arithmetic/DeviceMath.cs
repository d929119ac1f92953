using ILGPU;
using ILGPU.IR.Intrinsics;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using GeluConstants = KwaaiNet.CandelEngine.Compute.Cpu.Kernels.Gelu;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

/// <summary>Number formats and e^x in operations that every device has; ILGPU's Half needs a capability that OpenCL devices may lack.</summary>
internal static class DeviceMath
{
    /// <summary>Widens binary16 exactly.</summary>
    [IntrinsicImplementation]
    internal static float HalfToSingle(int half) => PlainOperations.HalfToSingle(half);

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
        float shifted = Rounded.Fma(clamped, Exponential.Log2E, Exponential.Shift);
        float n = Rounded.Add(shifted, -Exponential.Shift);
        float r = Rounded.Fma(n, -Exponential.Ln2High, clamped);
        r = Rounded.Fma(n, -Exponential.Ln2Low, r);
        float p = Rounded.Fma(Exponential.C7, r, Exponential.C6);
        p = Rounded.Fma(p, r, Exponential.C5);
        p = Rounded.Fma(p, r, Exponential.C4);
        p = Rounded.Fma(p, r, Exponential.C3);
        p = Rounded.Fma(p, r, Exponential.C2);
        p = Rounded.Add(Rounded.Fma(p, Rounded.Multiply(r, r), r), 1f);
        return p * Interop.IntAsFloat((Interop.FloatAsInt(shifted) << 23) + (uint)Exponential.OneBits);
    }

    /// <summary>GELU as the cpu backend has it, rounded to binary16 before and after.</summary>
    internal static float Gelu(float x)
    {
        if (!(x < GeluConstants.Bound)) return x;

        float inside = RoundToHalf(x < -GeluConstants.Bound ? -GeluConstants.Bound : x);
        float bent = Rounded.Fma(inside * inside, GeluConstants.Cubic, 1f);
        return RoundToHalf(inside / Rounded.Add(Exp(inside * bent * GeluConstants.Slope), 1f));
    }

    /// <summary><c>cap · tanh(x / cap)</c>, tanh from one exponential.</summary>
    internal static float Softcap(float x, float cap) => Rounded.Multiply(Rounded.Add(1f, -(2f / Rounded.Add(1f, Exp(x * (2f / cap))))), cap);
}
