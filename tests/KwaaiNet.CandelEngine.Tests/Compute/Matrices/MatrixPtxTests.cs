using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Tests.Compute.Matrices;

/// <summary>What the kernels for CUDA become: the instructions they are written for, and none that would spoil them.</summary>
public sealed class MatrixPtxTests
{
    private const string SignedBytes = "mma.sync.aligned.m16n8k32.row.col.s32.s8.s8.s32";
    private const string MixedBytes = "mma.sync.aligned.m16n8k32.row.col.s32.s8.u8.s32";
    private const string HalfBytes = "mma.sync.aligned.m16n8k16.row.col.s32.s8.s8.s32";
    private const string Halves = "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32";
    private const string Brains = "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32";

    // Weights, 128-bit loads of eight blocks, dp4a of a block.
    public static TheoryData<Type, int, int> Vectors => new()
    {
        { typeof(Q4Tiles), 9, 8 },
        { typeof(Q8Tiles), 17, 16 },
        { typeof(Q4KTiles), 9, 8 },
        { typeof(Q5KTiles), 9, 8 },
        { typeof(Q6KTiles), 9, 8 },
        { typeof(SingleTiles), 8, 0 },
    };

    // Weights, 128-bit loads of four blocks, instructions of a block and a tile of eight rows.
    public static TheoryData<Type, int, string, int> Tensors => new()
    {
        { typeof(Q4Tiles), 4, SignedBytes, 2 },
        { typeof(Q8Tiles), 8, MixedBytes, 2 },
        { typeof(Q4KTiles), 4, SignedBytes, 2 },
        { typeof(Q5KTiles), 4, SignedBytes, 2 },
        { typeof(Q6KTiles), 4, HalfBytes, 4 },
        { typeof(HalfTiles), 16, Halves, 8 },
        { typeof(BrainTiles), 16, Brains, 8 },
    };

    [Theory]
    [MemberData(nameof(Vectors))]
    public void Decode_reads_four_words_at_a_time_and_multiplies_four_bytes_at_a_time(Type weights, int loads, int dots)
    {
        foreach ((string name, int times) in new[] { (nameof(VectorProductKernels.Multiply), 1), (nameof(VectorProductKernels.Gate), 2) })
        {
            Type[] arguments = [weights];
            CompiledKernel kernel = CompiledKernel.Of(typeof(VectorProductKernels), name, arguments, VectorProductKernels.GroupSize, 2);

            Assert.InRange(kernel.Count("ld.global.v4"), times * loads, int.MaxValue);
            Assert.InRange(kernel.Count("dp4a.s32"), times * 8 * dots, dots == 0 ? 0 : int.MaxValue);
            AssertStaysInRegisters(kernel);
            Assert.Contains(".minnctapersm 2", kernel.Text, StringComparison.Ordinal);
        }
    }

    [Theory]
    [MemberData(nameof(Tensors))]
    public void Prefill_runs_on_tensor_cores(Type weights, int loads, string instruction, int times)
    {
        foreach ((Type span, int tiles) in new[] { (typeof(OneTile), 1), (typeof(TwoTiles), 2), (typeof(FourTiles), 4) })
        {
            foreach ((string name, int products) in new[] { (nameof(TensorKernels.Multiply), 1), (nameof(TensorKernels.Gate), 2) })
            {
                Type[] arguments = [weights, span];
                CompiledKernel kernel = CompiledKernel.Of(typeof(TensorKernels), name, arguments, TensorKernels.GroupSize);

                // Four blocks at a time, and one at a time for what is left.
                Assert.Equal(5 * products * tiles * times, kernel.Count(instruction));
                Assert.InRange(kernel.Count("ld.global.v4"), products * loads, int.MaxValue);
                AssertStaysInRegisters(kernel);
            }
        }
    }

    [Theory]
    [InlineData(nameof(OperandKernels.Write))]
    [InlineData(nameof(OperandKernels.Activate))]
    public void Operands_are_written_without_detours(string name) =>
        AssertStaysInRegisters(CompiledKernel.Of(typeof(OperandKernels), name, [], 256));

    // No local memory, no function that was not taken in, no division of addresses, and float32 only.
    private static void AssertStaysInRegisters(CompiledKernel kernel)
    {
        foreach (string spoiler in new[] { ".local", "call", "rem.s32", "div.s32", "mul.lo.s64", "mul.lo.u64", "add.f64", "mul.f64", "cvt.f64", "cvt.rn.f64" })
            Assert.True(kernel.Count(spoiler) == 0, $"{spoiler} in {kernel.Text}");
    }
}
