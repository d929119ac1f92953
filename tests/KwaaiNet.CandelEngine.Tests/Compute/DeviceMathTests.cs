using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>The arithmetic inside the ilgpu kernels, run as plain C#, against .NET's own and the cpu backend's scalar code.</summary>
public sealed class DeviceMathTests(ITestOutputHelper output)
{
    [Fact]
    public void Every_half_widens_to_its_own_value()
    {
        List<int> wrong = [];
        for (int bits = 0; bits <= ushort.MaxValue; bits++)
        {
            float expected = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            float actual = DeviceMath.HalfToSingle(bits);
            if (!(float.IsNaN(expected) ? float.IsNaN(actual) : BitConverter.SingleToInt32Bits(expected) == BitConverter.SingleToInt32Bits(actual)))
                wrong.Add(bits);
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Rounding_is_that_of_the_cpu_backend()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        List<float> values = [0f, -0f, 65504f, 65519f, 65520f, 1e30f, float.NegativeInfinity, float.Epsilon, 6.1035156e-5f, 6.1e-5f];

        // All halves, and what lies exactly and just beside the middle of two.
        for (int bits = 0; bits < 0x7BFF; bits++)
        {
            float low = (float)BitConverter.UInt16BitsToHalf((ushort)bits);
            float middle = (low + (float)BitConverter.UInt16BitsToHalf((ushort)(bits + 1))) / 2;
            values.AddRange([low, -low, middle, -middle, MathF.BitIncrement(middle), MathF.BitDecrement(middle)]);
        }

        for (int i = 0; i < 10_000; i++) values.Add(BitConverter.Int32BitsToSingle(random.Next(0x7F800000)));
        float[] expected = [.. values];
        CpuKernels.RoundToHalf(expected, new Half[expected.Length]);

        Assert.Equal(
            expected.Select(BitConverter.SingleToInt32Bits),
            values.Select(v => BitConverter.SingleToInt32Bits(DeviceMath.RoundToHalf(v))));
        Assert.True(float.IsNaN(DeviceMath.RoundToHalf(float.NaN)));
    }

    [Fact]
    public void The_exponential_is_that_of_the_cpu_backend()
    {
        for (float x = -100f; x < 100f; x += 0.0173f) Assert.Equal(Exponential.Of(x), DeviceMath.Exp(x));

        Assert.Equal(0, DeviceMath.Exp(float.NegativeInfinity));
    }

    [Fact]
    public void Gelu_and_the_soft_cap_are_what_their_formulas_say()
    {
        for (double x = -30; x < 30; x += 0.0137)
        {
            double gelu = x / 2 * (1 + Math.Tanh(Math.Sqrt(2 / Math.PI) * (x + (0.044715 * x * x * x))));
            // Argument and result keep the bits of a binary16, as on the cpu backend; where two are equally near, one may take the other.
            Assert.Equal(gelu, DeviceMath.Gelu((float)x), 1e-6 + (Math.Abs(x) / 1000));
            Assert.Equal(Gelu.Of((float)x), DeviceMath.Gelu((float)x), 1e-6 + (Math.Abs(x) / 1000));
            Assert.Equal(50 * Math.Tanh(x / 50), DeviceMath.Softcap((float)x, 50), 5e-5);
        }

        Assert.Equal([30f, -30f], [DeviceMath.Softcap(float.PositiveInfinity, 30), DeviceMath.Softcap(float.NegativeInfinity, 30)]);
    }
}
