using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute.Matrices;

/// <summary>Weights of every type on an ILGPU device, against the formats' definition.</summary>
public sealed class ProjectionTests(ITestOutputHelper output)
{
    public static TheoryData<GgmlType> Types => [.. Enum.GetValues<GgmlType>()];

    [Theory]
    [MemberData(nameof(Types))]
    public void Weights_on_a_device_are_what_the_format_says(GgmlType type)
    {
        const int Rows = 37;
        Random random = Seeded();
        int columns = type.BlockLength() == 1 ? 67 : 2 * type.BlockLength();
        using RandomWeights weights = new(random, type, Rows, columns);
        using IlgpuDevice device = IlgpuDevice.OpenCpuAccelerator();
        MatrixLaunches kernels = device.Matrices;
        using Projection projection = Projection.Load(kernels, TestContext.Current.CancellationToken, weights.Tensor);
        int[] rows = [36, 0, 8, 31, 32, 1];
        using MemoryBuffer1D<int, Stride1D.Dense> tokens = device.Accelerator.Allocate1D(rows);
        using MemoryBuffer1D<float, Stride1D.Dense> embedded = device.Accelerator.Allocate1D<float>(rows.Length * columns);

        projection.Embed(tokens.View, rows.Length, 1, embedded.View);
        device.Accelerator.Synchronize();

        Assert.Equal(rows.SelectMany(row => weights.Values[(row * columns)..((row + 1) * columns)]), embedded.GetAsArray1D());
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Products_are_those_of_the_operand_and_the_weights(GgmlType type)
    {
        const int Outputs = 33;
        const int Rows = 3;
        Random random = Seeded();
        int columns = type.BlockLength() == 1 ? 67 : 3 * type.BlockLength();
        using RandomWeights weights = new(random, type, Outputs, columns);
        float[] x = [.. Enumerable.Range(0, Rows * columns).Select(_ => random.NextSingle() - 0.5f)];
        float[] bias = [.. Enumerable.Range(0, Outputs).Select(_ => random.NextSingle())];
        using IlgpuDevice device = IlgpuDevice.OpenCpuAccelerator();
        MatrixLaunches kernels = device.Matrices;
        using Projection projection = Projection.Load(kernels, TestContext.Current.CancellationToken, weights.Tensor);
        using OperandBuffer operand = new(device.Accelerator, projection.Operand, columns, Rows);
        using MemoryBuffer1D<float, Stride1D.Dense> rows = device.Accelerator.Allocate1D(x);
        using MemoryBuffer1D<float, Stride1D.Dense> biases = device.Accelerator.Allocate1D(bias);
        using MemoryBuffer1D<float, Stride1D.Dense> y = device.Accelerator.Allocate1D<float>(Rows * Outputs);

        kernels.Write(rows.View, Rows, operand.For(Rows));
        projection.Multiply(operand.For(Rows), Rows, y.View, biases.View);
        projection.AddTo(operand.For(Rows), Rows, y.View, 0.5f);
        device.Accelerator.Synchronize();

        float[] results = y.GetAsArray1D();
        double levels = projection.Operand switch { OperandKinds.Bytes => 127, OperandKinds.Shorts => 32767, _ => 0 };
        for (int row = 0; row < Rows; row++)
        {
            double[] taken = Taken(x.AsSpan(row * columns, columns), levels);
            for (int output = 0; output < Outputs; output++)
            {
                double sum = 0;
                double size = 1;
                for (int c = 0; c < columns; c++)
                {
                    double term = weights.Values[(output * columns) + c] * taken[c];
                    sum += term;
                    size += Math.Abs(term);
                }

                // A sum of n products in float32 is off by less than n · 2^-24 of what was added; two terms of bfloat16 keep 16 bits.
                double tolerance = (columns + 8) * 6e-8 * size * (type == GgmlType.BF16 ? 256 : 4);
                Assert.Equal((1.5 * sum) + bias[output], results[(row * Outputs) + output], tolerance);
            }
        }
    }

    [Fact]
    public void Bytes_on_a_device_are_those_that_are_allocated()
    {
        List<string> wrong = [];
        using IlgpuDevice device = IlgpuDevice.OpenCpuAccelerator();
        foreach (GgmlType type in Enum.GetValues<GgmlType>())
        {
            int columns = 9 * Math.Max(32, type.BlockLength());
            using RandomWeights weights = new(new Random(1), type, 33, columns);
            using Projection projection = Projection.Load(device.Matrices, TestContext.Current.CancellationToken, weights.Tensor, weights.Tensor);
            if (Projection.BytesOf(weights.Tensor, weights.Tensor) != projection.Bytes) wrong.Add($"{type}: {projection.Bytes}");
        }

        Assert.Empty(wrong);
    }

    // Numbers as the operand has them.
    private static double[] Taken(ReadOnlySpan<float> x, double levels)
    {
        var taken = new double[x.Length];
        for (int first = 0; first < x.Length; first += 32)
        {
            ReadOnlySpan<float> block = x.Slice(first, Math.Min(32, x.Length - first));
            float largest = 0;
            foreach (float value in block) largest = Math.Max(largest, Math.Abs(value));
            double scale = largest / levels;
            for (int i = 0; i < block.Length; i++)
                taken[first + i] = levels == 0 || largest == 0 ? block[i] : Math.Round(block[i] * (float)(levels / largest), MidpointRounding.ToEven) * scale;
        }

        return taken;
    }

    private Random Seeded()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        return new Random(seed);
    }
}
