using ILGPU;
using ILGPU.Runtime;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;

/// <summary>Products by <see cref="VectorProductKernels"/>.</summary>
internal sealed class VectorProducts<TWeights>(MatrixLaunches kernels) : IProducts<TWeights>
    where TWeights : struct, IVectorWeights
{
    // Two groups on a multiprocessor bound a thread's registers to 64.
    private static readonly KernelSpecialization s_specialization = new(VectorProductKernels.GroupSize, 2);

    private Action<AcceleratorStream, KernelConfig, TWeights, Operand, Product>? _multiply;
    private Action<AcceleratorStream, KernelConfig, TWeights, TWeights, Operand, ArrayView<float>, int, int, Operand>? _gate;

    public bool Gates => true;

    public long GateScratch(int rows, int width) => 0;

    public void Multiply(TWeights weights, Operand x, int rows, Product y)
    {
        _multiply ??= kernels.Accelerator.LoadKernel<TWeights, Operand, Product>(VectorProductKernels.Multiply, s_specialization);
        _multiply(kernels.Launch(), Config(rows, y.Outputs), weights, x, y);
    }

    public void Gate(TWeights gate, TWeights up, Operand x, int rows, ArrayView<float>? bias, int activation, ArrayView<float> scratch, Operand y)
    {
        _gate ??= kernels.Accelerator.LoadKernel<TWeights, TWeights, Operand, ArrayView<float>, int, int, Operand>(VectorProductKernels.Gate, s_specialization);
        _gate(kernels.Launch(), Config(rows, y.Columns), gate, up, x, bias ?? x.ShortScales, bias is null ? 0 : 1, activation, y);
    }

    private static KernelConfig Config(int rows, int outputs) => new(new Index2D(rows, Tiles.Count(outputs)), new Index2D(VectorProductKernels.GroupSize, 1));
}
