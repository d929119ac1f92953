using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;

/// <summary>The kernels of weights and their products, for one accelerator.</summary>
/// <remarks>ILGPU's own cache holds kernels weakly; these fields keep them.</remarks>
internal sealed class MatrixLaunches
{
    private readonly KernelFamily _family;
    private readonly LaunchCount _count;
    private Action<AcceleratorStream, Index1D, ArrayView<float>, Operand>? _write;
    private Action<AcceleratorStream, Index1D, ArrayView<float>, int, Operand>? _activate;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, Operand>? _writeWarps;
    private Action<AcceleratorStream, KernelConfig, ArrayView<float>, int, Operand>? _activateWarps;

    /// <param name="accelerator">The accelerator.</param>
    /// <param name="family">Which kernels; with warps of 32 an accelerator can run them all, but see <see cref="KernelFamilies.Of"/>.</param>
    /// <param name="count">Counts the launches.</param>
    internal MatrixLaunches(Accelerator accelerator, KernelFamily family, LaunchCount count)
    {
        _family = family;
        _count = count;
        Accelerator = accelerator;
        Q4 = Mixed<Q4Tiles>();
        Q8 = Mixed<Q8Tiles>();
        Q4K = Mixed<Q4KTiles>();
        Q5K = Mixed<Q5KTiles>();
        Q6K = Mixed<Q6KTiles>();
        Half = Tensor<HalfTiles>();
        Brain = Tensor<BrainTiles>();
        Single = Vector<SingleTiles>();
    }

    internal Accelerator Accelerator { get; }

    /// <summary>
    /// Whether gate and up projection are one launch that no kernel without groups could make on a GPU: an item computes 32 outputs of
    /// both, which is too few items for any but a simulator, where launches are what costs.
    /// </summary>
    internal bool GatesInItems => Accelerator.AcceleratorType == AcceleratorType.CPU;

    internal FormatKernels<Q4Tiles> Q4 { get; }

    internal FormatKernels<Q8Tiles> Q8 { get; }

    internal FormatKernels<Q4KTiles> Q4K { get; }

    internal FormatKernels<Q5KTiles> Q5K { get; }

    internal FormatKernels<Q6KTiles> Q6K { get; }

    internal FormatKernels<HalfTiles> Half { get; }

    internal FormatKernels<BrainTiles> Brain { get; }

    internal FormatKernels<SingleTiles> Single { get; }

    /// <summary>The stream, told that a kernel is about to be launched on it.</summary>
    internal AcceleratorStream Launch()
    {
        _count.Add();
        return Accelerator.DefaultStream;
    }

    /// <summary>Brings rows of float32 to an operand, where nothing wrote it on the way.</summary>
    /// <param name="x">The rows, <c>[rows, y.Columns]</c>.</param>
    /// <param name="rows">How many.</param>
    /// <param name="y">The operand.</param>
    internal void Write(ArrayView<float> x, int rows, Operand y)
    {
        if (_family == KernelFamily.Cuda)
        {
            _writeWarps ??= Accelerator.LoadKernel<ArrayView<float>, Operand>(OperandKernels.Write);
            _writeWarps(Launch(), OperandKernels.Config(rows, y.Blocks), x, y);
            return;
        }

        _write ??= Accelerator.LoadAutoGroupedKernel<Index1D, ArrayView<float>, Operand>(PortableKernels.Write);
        _write(Launch(), rows * y.Blocks, x, y);
    }

    /// <summary><c>f(gate) ∘ up</c> to an operand; see <see cref="PortableKernels.Activate"/>.</summary>
    internal void Activate(ArrayView<float> gateUp, int rows, int activation, Operand y)
    {
        if (_family == KernelFamily.Cuda)
        {
            _activateWarps ??= Accelerator.LoadKernel<ArrayView<float>, int, Operand>(OperandKernels.Activate);
            _activateWarps(Launch(), OperandKernels.Config(rows, y.Blocks), gateUp, activation, y);
            return;
        }

        _activate ??= Accelerator.LoadAutoGroupedKernel<Index1D, ArrayView<float>, int, Operand>(PortableKernels.Activate);
        _activate(Launch(), rows * y.Blocks, gateUp, activation, y);
    }

    // Quantised types: one row by dp4a, more on tensor cores.
    private FormatKernels<TWeights> Mixed<TWeights>()
        where TWeights : struct, IVectorWeights, ITensorWeights =>
        _family == KernelFamily.Cuda ? new(this, new VectorProducts<TWeights>(this), new TensorProducts<TWeights>(this)) : Portable<TWeights>();

    // 16-bit floats: how a tensor core adds them is its own, so nothing else may.
    private FormatKernels<TWeights> Tensor<TWeights>()
        where TWeights : struct, ITensorWeights
    {
        if (_family != KernelFamily.Cuda) return Portable<TWeights>();

        TensorProducts<TWeights> products = new(this);
        return new(this, products, products);
    }

    private FormatKernels<TWeights> Vector<TWeights>()
        where TWeights : struct, IVectorWeights
    {
        if (_family != KernelFamily.Cuda) return Portable<TWeights>();

        VectorProducts<TWeights> products = new(this);
        return new(this, products, products);
    }

    private FormatKernels<TWeights> Portable<TWeights>()
        where TWeights : struct, ITileWeights
    {
        PortableProducts<TWeights> products = new(this);
        return new(this, products, products);
    }
}
