using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Quantization;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Weights of every type on an ILGPU device, against the formats' definition.</summary>
public sealed unsafe class DeviceMatrixTests(ITestOutputHelper output)
{
    public static TheoryData<GgmlType> Types => [.. Enum.GetValues<GgmlType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void Weights_on_a_device_are_what_the_format_says(GgmlType type)
    {
        const int Rows = 3;
        int seed = System.Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        int columns = type.BlockLength() == 1 ? 67 : 2 * type.BlockLength();
        (byte[] weights, float[] values) = RandomWeights(random, type, Rows * columns);
        float[] x = [.. Enumerable.Range(0, columns).Select(_ => random.NextSingle() - 0.5f)];

        using IlgpuDevice device = IlgpuDevice.OpenCpuAccelerator();
        Accelerator accelerator = device.Accelerator;
        fixed (byte* data = weights)
        {
            TensorData tensor = new("w", type, Rows, columns, (nint)data, weights.Length);
            using DeviceMatrix matrix = DeviceMatrix.Load(accelerator, device.Kernels, tensor, TestContext.Current.CancellationToken);
            using MemoryBuffer1D<int, Stride1D.Dense> tokens = accelerator.Allocate1D([2, 0, 1]);
            using MemoryBuffer1D<float, Stride1D.Dense> embedded = accelerator.Allocate1D<float>(Rows * columns);
            using MemoryBuffer1D<float, Stride1D.Dense> activations = accelerator.Allocate1D(x);
            using MemoryBuffer1D<float, Stride1D.Dense> products = accelerator.Allocate1D<float>(Rows);
            matrix.Embed(tokens.View, Rows, embedded.View);
            matrix.Multiply(activations.View, 1, products.View);
            accelerator.Synchronize();

            Assert.Equal([.. values[(2 * columns)..], .. values[..(2 * columns)]], embedded.GetAsArray1D());
            float[] results = products.GetAsArray1D();
            for (int row = 0; row < Rows; row++)
            {
                double expected = 0;
                double size = 0;
                for (int c = 0; c < columns; c++)
                {
                    expected += (double)values[(row * columns) + c] * x[c];
                    size += Math.Abs((double)values[(row * columns) + c] * x[c]);
                }

                // A sum of n products in float32: the error is below n · 2^-24 of what was added.
                Assert.InRange(results[row], expected - (columns * 6e-8 * size), expected + (columns * 6e-8 * size));
            }

            Assert.Equal(type is GgmlType.F32 or GgmlType.F16 or GgmlType.BF16 or GgmlType.Q8_0 or GgmlType.Q4_0 or GgmlType.Q4_K or GgmlType.Q6_K ? weights.Length : 4 * values.Length, DeviceMatrix.BytesOf(tensor));
        }
    }

    // Random bytes, but scales that keep sums finite: a model's weights are.
    private static (byte[] Bytes, float[] Values) RandomWeights(Random random, GgmlType type, int count)
    {
        var bytes = new byte[count / type.BlockLength() * type.BlockBytes()];
        var values = new float[count];
        for (int block = 0; block < count / type.BlockLength(); block++)
        {
            Span<byte> one = bytes.AsSpan(block * type.BlockBytes(), type.BlockBytes());
            Span<float> decoded = values.AsSpan(block * type.BlockLength(), type.BlockLength());
            do
            {
                random.NextBytes(one);
                BlockDecoder.Decode(type, one, decoded);
            }
            while (decoded.ContainsAnyExceptInRange(-1e9f, 1e9f));
        }

        return (bytes, values);
    }
}
