using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute.Matrices;

/// <summary>
/// Every kernel that multiplies, of both families, against its twin: bit for bit, over small shapes. Elsewhere than on CUDA no kernel
/// fuses operations, so one number stands for all; on CUDA each operation is the same in every kernel.
/// </summary>
public sealed unsafe class MatrixKernelTests(ITestOutputHelper output)
{
    private static readonly GgmlType[] s_types =
        [GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q8_0, GgmlType.Q4_0, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K];

    // One row alone; some of a tile of eight; three tiles, which are four of tensor cores together.
    public static TheoryData<GgmlType, int> TypesAndRows => Data(1, 5, 17);

    // One row alone, and two tiles.
    public static TheoryData<GgmlType, int> TypesAndFewerRows => Data(1, 9);

    [Theory]
    [MemberData(nameof(TypesAndRows))]
    public void Both_families_give_the_bits_of_the_twin(GgmlType type, int rows)
    {
        Random random = Seeded();
        int columns = ColumnsOf(type, random);
        int outputs = random.GetItems([1, 7, 32, 37], 1)[0];
        output.WriteLine($"{outputs} x {columns}");
        using RandomWeights weights = new(random, type, outputs, columns);
        float[] x = Activations(random, rows * columns);
        float[]? bias = random.Next(2) == 0 ? null : Activations(random, outputs);
        var expected = new float[2 * rows * outputs];
        for (int i = 0; i < rows * outputs; i++)
        {
            float product = ScalarProduct.Of(type, weights.Row(i % outputs), columns, x.AsSpan(i / outputs * columns, columns));
            if (bias is not null) product += bias[i % outputs];
            expected[i] = product;
            expected[(rows * outputs) + i] = (0.5f * product) + product;
        }

        using MatrixBench bench = new();
        foreach (MatrixLaunches kernels in new[] { bench.Portable, bench.Cuda })
        {
            using Projection projection = Projection.Load(kernels, TestContext.Current.CancellationToken, weights.Tensor);
            AssertSameBits(expected, bench.Multiply(kernels, projection, x, rows, bias));
        }
    }

    [Theory]
    [InlineData(GgmlType.Q5_0)]
    [InlineData(GgmlType.IQ4_NL)]
    public void Types_that_fit_in_bytes_run_as_bytes(GgmlType type)
    {
        Random random = Seeded();
        const int Outputs = 3;
        const int Columns = 96;
        using RandomWeights weights = new(random, type, Outputs, Columns);
        float[] x = Activations(random, Columns);
        float[] expected = [.. Enumerable.Range(0, Outputs).Select(i => ScalarProduct.Of(type, weights.Row(i), Columns, x))];

        using MatrixBench bench = new();
        using Projection projection = Projection.Load(bench.Cuda, TestContext.Current.CancellationToken, weights.Tensor);
        AssertSameBits(expected, bench.Multiply(bench.Cuda, projection, x, 1, null)[..Outputs]);
    }

    [Theory]
    [InlineData(GgmlType.Q4_0, 19 * 32)]
    [InlineData(GgmlType.Q4_0, 17 * 256)]
    [InlineData(GgmlType.Q6_K, 17 * 256)]
    [InlineData(GgmlType.F16, (17 * 32) + 1)]
    public void A_long_row_has_every_segment(GgmlType type, int columns)
    {
        Random random = Seeded();
        using RandomWeights weights = new(random, type, 2, columns);
        float[] x = Activations(random, 2 * columns);
        float[] expected = [.. Enumerable.Range(0, 4).Select(i => ScalarProduct.Of(type, weights.Row(i % 2), columns, x.AsSpan(i / 2 * columns, columns)))];

        using MatrixBench bench = new();
        foreach (MatrixLaunches kernels in new[] { bench.Portable, bench.Cuda })
        {
            using Projection projection = Projection.Load(kernels, TestContext.Current.CancellationToken, weights.Tensor);
            AssertSameBits(expected, bench.Multiply(kernels, projection, x, 2, null)[..4]);
            AssertSameBits(expected[..2], bench.Multiply(kernels, projection, x[..columns], 1, null)[..2]);
        }
    }

    [Theory]
    [InlineData(GgmlType.Q4_0)]
    [InlineData(GgmlType.BF16)]
    public void A_row_gets_the_same_bits_whatever_rows_are_beside_it(GgmlType type)
    {
        Random random = Seeded();
        const int Columns = 64;
        const int Outputs = 3;
        const int Rows = 35;
        using RandomWeights weights = new(random, type, Outputs, Columns);
        float[] x = Activations(random, Rows * Columns);
        using MatrixBench bench = new();
        using Projection projection = Projection.Load(bench.Cuda, TestContext.Current.CancellationToken, weights.Tensor);

        float[] together = bench.Multiply(bench.Cuda, projection, x, Rows, null);

        foreach (int row in new[] { 0, 7, 8, 31, 34 })
        {
            float[] alone = bench.Multiply(bench.Cuda, projection, x[(row * Columns)..((row + 1) * Columns)], 1, null);
            AssertSameBits(alone[..Outputs], together[(row * Outputs)..((row + 1) * Outputs)]);
        }
    }

    [Theory]
    [MemberData(nameof(TypesAndFewerRows))]
    public void Gate_and_up_projection_in_one_launch_are_those_of_three(GgmlType type, int rows)
    {
        Random random = Seeded();
        int columns = ColumnsOf(type, random);
        int width = random.GetItems([5, 32, 33], 1)[0];
        output.WriteLine($"{width} x {columns}");
        GateActivation activation = random.Next(2) == 0 ? GateActivation.Silu : GateActivation.GeluTanh;
        using RandomWeights gate = new(random, type, width, columns, 2);
        using RandomWeights up = new(random, type, width, columns, 2);
        float[] x = Activations(random, rows * columns);
        float[]? bias = random.Next(2) == 0 ? null : Activations(random, 2 * width);
        const OperandKinds All = OperandKinds.Bytes | OperandKinds.Shorts | OperandKinds.Halves | OperandKinds.Brains | OperandKinds.Singles;
        using MatrixBench bench = new();
        List<byte[]> results = [];
        foreach (MatrixLaunches kernels in new[] { bench.Portable, bench.Cuda })
        {
            using GatedProjection projection = GatedProjection.Load(kernels, TestContext.Current.CancellationToken, gate.Tensor, up.Tensor);
            using OperandBuffer operand = new(bench.Accelerator, projection.Operand, columns, rows);
            using OperandBuffer next = new(bench.Accelerator, All, width, rows);
            next.Memory.MemSetToZero();
            using MemoryBuffer1D<float, Stride1D.Dense> from = bench.Accelerator.Allocate1D(x);
            using MemoryBuffer1D<float, Stride1D.Dense> biases = bench.Accelerator.Allocate1D(bias ?? [0f]);
            using MemoryBuffer1D<float, Stride1D.Dense> scratch = bench.Accelerator.Allocate1D<float>(Math.Max(1, projection.ScratchLength(rows)));
            bench.Portable.Write(from.View, rows, operand.For(rows));
            long launches = bench.Launches.Launches;
            projection.Run(operand.For(rows), rows, activation, bias is null ? null : biases.View, scratch.View, next.For(rows));
            Assert.Equal(launches + 1, bench.Launches.Launches);
            bench.Accelerator.Synchronize();
            results.Add(MatrixBench.Bytes(next));
        }

        Assert.Equal(results[0], results[1]);
    }

    [Fact]
    public void Stacked_matrices_of_several_types_are_one_result()
    {
        Random random = Seeded();
        const int Columns = 256;
        const int Rows = 3;
        using RandomWeights query = new(random, GgmlType.Q4_K, 37, Columns);
        using RandomWeights key = new(random, GgmlType.Q4_K, 5, Columns);
        using RandomWeights value = new(random, GgmlType.Q6_K, 5, Columns);
        using RandomWeights other = new(random, GgmlType.F16, 2, Columns);
        RandomWeights[] all = [query, key, value, other];
        float[] x = Activations(random, Rows * Columns);
        float[] bias = Activations(random, 49);
        float[] expected =
        [
            .. Enumerable.Range(0, Rows).SelectMany(row => all.SelectMany(w => Enumerable.Range(0, w.Tensor.Rows).Select(r =>
                ScalarProduct.Of(w.Tensor.Type, w.Row(r), Columns, x.AsSpan(row * Columns, Columns)))).Zip(bias, (p, b) => p + b)),
        ];

        using MatrixBench bench = new();
        foreach (MatrixLaunches kernels in new[] { bench.Portable, bench.Cuda })
        {
            using Projection projection = Projection.Load(kernels, TestContext.Current.CancellationToken, [.. all.Select(w => w.Tensor)]);
            Assert.Equal(OperandKinds.Bytes | OperandKinds.Halves, projection.Operand);
            Assert.Equal((49, Columns, 3), (projection.Rows, projection.Columns, projection.Launches));
            AssertSameBits(expected, bench.Multiply(kernels, projection, x, Rows, bias)[..expected.Length]);
        }
    }

    internal static void AssertSameBits(float[] expected, float[] actual) =>
        Assert.Equal(expected.Select(Bits), actual.Select(Bits));

    // A NaN is a NaN.
    private static int Bits(float value) => float.IsNaN(value) ? -1 : BitConverter.SingleToInt32Bits(value);

    private static TheoryData<GgmlType, int> Data(params int[] rows)
    {
        TheoryData<GgmlType, int> data = [];
        foreach (GgmlType type in s_types)
        {
            foreach (int count in rows) data.Add(type, count);
        }

        return data;
    }

    // Of types whose rows need not be whole blocks, ragged ones; of those whose need not be whole super-blocks, such too.
    private static int ColumnsOf(GgmlType type, Random random) => type.BlockLength() switch
    {
        1 => random.Next(1, 130),
        32 => 32 * random.GetItems([1, 3, 8], 1)[0],
        _ => 256,
    };

    // Of all sizes, with some that are nothing, and now and then a block that is no number.
    private static float[] Activations(Random random, int count)
    {
        float[] x = [.. Enumerable.Range(0, count).Select(_ => (random.NextSingle() - 0.5f) * MathF.Pow(10, random.Next(-3, 3)))];
        if (count > 40) x.AsSpan(8, 32).Clear();
        if (random.Next(4) == 0) x[random.Next(count)] = random.GetItems([float.NaN, float.PositiveInfinity, 1e38f, 1e-40f, -0f], 1)[0];
        return x;
    }

    private Random Seeded()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        return new Random(seed);
    }
}
