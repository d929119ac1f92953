using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

/// <summary>A float32 as the sum of two 16-bit floats: tensor cores take no more, and one of them is too coarse for activations.</summary>
internal static class TwoTerms
{
    /// <summary>The nearest binary16's bits; beyond ±65504 saturates.</summary>
    internal static int Half(float value)
    {
        float rounded = DeviceMath.RoundToHalf(value);
        uint bits = Interop.FloatAsInt(rounded);
        uint sign = (bits >> 16) & 0x8000;
        uint magnitude = bits & 0x7FFFFFFF;
        if (magnitude > 0x7F800000) return 0x7E00;

        // Below 2^-14 binary16 counts in 2^-24, which float32 does from 0.5 on.
        if (magnitude < 0x38800000) return (int)(sign | (Interop.FloatAsInt(Interop.IntAsFloat(magnitude) + 0.5f) & 0x7FF));

        return (int)(sign | ((magnitude - 0x38000000) >> 13));
    }

    /// <summary>The nearest bfloat16's bits, ties to even.</summary>
    internal static int Brain(float value)
    {
        uint bits = Interop.FloatAsInt(value);
        if ((bits & 0x7FFFFFFF) > 0x7F800000) return 0x7FC0;

        return (int)((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16);
    }

    internal static float BrainToSingle(int bits) => Interop.IntAsFloat((uint)bits << 16);

    /// <summary>What a term leaves; 0 where it left infinity, since infinity without itself is no number.</summary>
    internal static float Rest(float value, float term)
    {
        float rest = Rounded.Add(value, -term);
        return BlockIntegers.IsFinite(BlockIntegers.Magnitude(term)) ? rest : 0f;
    }
}
