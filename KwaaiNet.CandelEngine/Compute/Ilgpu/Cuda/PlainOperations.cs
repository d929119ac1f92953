namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;

/// <summary>What <see cref="Rounded"/> and <see cref="HalfPair"/> are on devices that know no PTX.</summary>
internal static class PlainOperations
{
    internal static float Multiply(float a, float b) => a * b;

    internal static float Add(float a, float b) => a + b;

    internal static float Fma(float a, float b, float c) => (a * b) + c;

    internal static float Low(int pair) => DeviceMath.HalfToSingle(pair & 0xFFFF);

    internal static float High(int pair) => DeviceMath.HalfToSingle((pair >> 16) & 0xFFFF);
}
