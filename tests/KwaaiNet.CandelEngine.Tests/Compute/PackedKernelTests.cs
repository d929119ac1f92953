using KwaaiNet.CandelEngine.Compute.Cpu.Lanes;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Rows;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Packed kernels: every vector width against the plain loops, bit for bit, and a row in company against the row alone.</summary>
public sealed unsafe class PackedKernelTests
{
    public static TheoryData<GgmlType> Types => [GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q4_0, GgmlType.Q8_0, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K];

    [Theory]
    [MemberData(nameof(Types))]
    public void Every_width_gives_the_bits_of_the_plain_loops(GgmlType type)
    {
        foreach (int rows in (int[])[1, 2, 4, 5, 8, 11, 16, 19])
        {
            using PackedProblem problem = new(type, outputs: 75, columns: 512, rows, seed: 100 + rows, PackedProblem.Ordinary);
            float[] expected = problem.Multiply(PackedKernels.For(SimdTier.Scalar));
            foreach (SimdTier tier in Tiers()) Assert.Equal(expected, problem.Multiply(PackedKernels.For(tier)));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void Extreme_integers_do_not_overflow(GgmlType type)
    {
        foreach (byte pattern in (byte[])[0x00, 0x7F, 0x80, 0xFF])
        {
            using PackedProblem problem = new(type, outputs: 16, columns: 256, rows: 9, seed: pattern, _ => pattern);
            problem.SetActivations((row, column) => row % 2 == 0 ? 1000 : column % 2 == 0 ? -1 : 1);
            float[] expected = problem.Multiply(PackedKernels.For(SimdTier.Scalar));
            foreach (SimdTier tier in Tiers()) Assert.Equal(expected, problem.Multiply(PackedKernels.For(tier)));
        }
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void A_row_is_the_same_alone_and_among_others(GgmlType type)
    {
        using PackedProblem problem = new(type, outputs: 48, columns: 256, rows: 21, seed: 7, PackedProblem.Ordinary);
        float[] together = problem.Multiply(PackedKernels.Best);
        for (int row = 0; row < 21; row++)
            Assert.Equal(together.AsSpan(row * 48, 48).ToArray(), problem.Multiply(PackedKernels.Best, row, 1));
        Assert.Equal(together.AsSpan(3 * 48, 6 * 48).ToArray(), problem.Multiply(PackedKernels.Best, 3, 6));
    }

    [Theory]
    [MemberData(nameof(Types))]
    public void The_product_is_that_of_the_weights_the_file_means(GgmlType type)
    {
        using PackedProblem problem = new(type, outputs: 40, columns: 512, rows: 3, seed: 11, PackedProblem.Ordinary);
        float[] actual = problem.Multiply(PackedKernels.Best);
        (double[] expected, double[] magnitude) = problem.MultiplyInDouble();

        // Activations of 8 bits are off by at most 1/254 of their block's largest, those of 16 by 1/65534; floats by rounding alone.
        double allowed = type is GgmlType.F32 or GgmlType.F16 or GgmlType.BF16 ? 1e-6 : type == GgmlType.Q8_0 ? 1e-4 : 1.0 / 100;
        for (int i = 0; i < actual.Length; i++)
            Assert.True(Math.Abs(actual[i] - expected[i]) <= allowed * magnitude[i], $"{type}: output {i} is {actual[i]}, not {expected[i]} (magnitude {magnitude[i]})");
    }

    [Theory]
    [InlineData(GgmlType.F16)]
    [InlineData(GgmlType.Q4_0)]
    [InlineData(GgmlType.Q4_K)]
    public void A_weight_that_is_not_a_number_is_refused_by_name(GgmlType type)
    {
        byte[] bytes = new byte[16 * 256 / type.BlockLength() * type.BlockBytes()];
        bytes[^(type == GgmlType.F16 ? 1 : type.BlockBytes() - 1)] = 0x7C;
        using ComputePool pool = new(1);
        fixed (byte* data = bytes)
        {
            TensorData tensor = new("blk.3.ffn_up.weight", type, 16, 256, (nint)data, bytes.Length);
            ModelFormatException problem = Assert.Throws<ModelFormatException>(() => PackedMatrix.Pack(tensor, pool).Dispose());
            Assert.Contains("blk.3.ffn_up.weight", problem.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void An_activation_that_is_not_a_number_shows_in_the_result()
    {
        using PackedProblem problem = new(GgmlType.Q4_0, outputs: 16, columns: 64, rows: 2, seed: 5, PackedProblem.Ordinary);
        problem.SetActivations((row, column) => row == 1 && column == 40 ? float.PositiveInfinity : column);
        float[] y = problem.Multiply(PackedKernels.Best);
        Assert.All(y[..16], value => Assert.True(float.IsFinite(value)));
        Assert.All(y[16..], value => Assert.True(float.IsNaN(value)));
    }

    private static IEnumerable<SimdTier> Tiers()
    {
        if (RowLanes128.IsSupported) yield return SimdTier.Vector128;
        if (RowLanes256.IsSupported) yield return SimdTier.Vector256;
        if (RowLanes512.IsSupported) yield return SimdTier.Vector512;
    }
}
