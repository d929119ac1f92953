using ILGPU;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

/// <summary>What methods with an instruction of their own are on devices that do not know it, by the same names.</summary>
internal static class PlainOperations
{
    internal static float Multiply(float a, float b) => a * b;

    internal static float Add(float a, float b) => a + b;

    internal static float Fma(float a, float b, float c) => (a * b) + c;

    /// <summary>Widens binary16: exponent and fraction move up 13 bits, and 2^112 corrects the exponent's bias.</summary>
    internal static float HalfToSingle(int half)
    {
        int moved = (half & 0x7FFF) << 13;
        int magnitude = (int)Interop.FloatAsInt(Interop.IntAsFloat((uint)moved) * 5.192296858534828e33f);
        if (moved >= 0x0F800000) magnitude |= 0x7F800000; // infinity or NaN
        return Interop.IntAsFloat((uint)(magnitude | ((half & 0x8000) << 16)));
    }

    internal static int Signed(int a, int b, int sum) =>
        sum + (((a << 24) >> 24) * ((b << 24) >> 24))
            + (((a << 16) >> 24) * ((b << 16) >> 24))
            + (((a << 8) >> 24) * ((b << 8) >> 24))
            + ((a >> 24) * (b >> 24));

    internal static int Mixed(int a, int b, int sum) =>
        sum + (((a << 24) >> 24) * (b & 255))
            + (((a << 16) >> 24) * ((b >> 8) & 255))
            + (((a << 8) >> 24) * ((b >> 16) & 255))
            + ((a >> 24) * ((b >> 24) & 255));

    internal static float Low(int pair) => HalfToSingle(pair & 0xFFFF);

    internal static float High(int pair) => HalfToSingle((pair >> 16) & 0xFFFF);
}
