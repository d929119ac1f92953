using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Kernels;

/// <summary>The kernels of a block that do not depend on how weights are stored, for one accelerator.</summary>
/// <remarks>ILGPU's own cache holds kernels weakly; these fields keep them. What few models need is loaded when one needs it.</remarks>
internal abstract class BlockKernels
{
    private readonly Accelerator _accelerator;
    private readonly LaunchCount _count;
    private readonly Dictionary<(KvFormat Format, int KeptSize), AttentionKernels> _attention = [];
    private Action<Index1D, StepView, int, ArrayView<float>>? _round;
    private Action<Index1D, float, float, ArrayView<float>>? _scaleAndCap;
    private Action<Index1D, ArrayView<float>, ArrayView<float>, float>? _addScaled;
    private Action<Index1D, ArrayView<float>>? _clear;
    private Action<Index1D, Operand, ArrayView<int>, int, ArrayView<float>>? _gather;
    private Action<Index1D, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, ArrayView<float>>? _scatterAdd;

    private protected BlockKernels(Accelerator accelerator, LaunchCount count)
    {
        _accelerator = accelerator;
        _count = count;
    }

    /// <summary>The kernels of a family.</summary>
    internal static BlockKernels For(Accelerator accelerator, LaunchCount count, KernelFamily family) =>
        family == KernelFamily.Cuda ? new CudaBlockKernels(accelerator, count) : new PortableBlockKernels(accelerator, count);

    /// <summary>Kernels of attention, loaded when first asked for.</summary>
    internal AttentionKernels Attention(KvFormat format, int headSize)
    {
        var key = (KvLayout.Kept(format), KvLayout.KeptSize(headSize));
        if (_attention.TryGetValue(key, out AttentionKernels? loaded)) return loaded;

        return _attention[key] = key.Item1 == KvFormat.F32
            ? LoadAttention<KvSingles>(_accelerator, _count, key.Item2)
            : LoadAttention<KvHalves>(_accelerator, _count, key.Item2);
    }

    /// <summary>Fours of scratch that attention needs, for so many rows at most.</summary>
    internal abstract long AttentionFours(ModelShape shape, int rows);

    /// <summary>Numbers of scratch that <see cref="Norm"/> needs.</summary>
    internal abstract long NormLength(ModelShape shape, int rows);

    /// <summary>RMSNorm: see <see cref="CudaNorms.Norm"/>.</summary>
    /// <param name="shape">The norm.</param>
    /// <param name="rows">Rows of the result.</param>
    /// <param name="step">The rows.</param>
    /// <param name="residual">Hidden states.</param>
    /// <param name="list">Which rows, if the shape gathers; else any view.</param>
    /// <param name="weights">The norm's.</param>
    /// <param name="scratch">Room for the rows as float32.</param>
    /// <param name="y">The result.</param>
    internal abstract void Norm(
        NormShape shape, int rows, StepView step, ArrayView<float> residual, ArrayView<int> list, ArrayView<float> weights, ArrayView<float> scratch, Operand y);

    /// <summary><c>residual += factor · (RMSNorm(x) · weights)</c>.</summary>
    internal abstract void AddNormed(NormShape shape, int rows, ArrayView<float> x, ArrayView<float> weights, float factor, ArrayView<float> residual);

    /// <summary>Rounds rows that cross in binary16.</summary>
    internal void Round(int rows, StepView step, int width, ArrayView<float> x)
    {
        _round ??= _accelerator.LoadAutoGroupedStreamKernel<Index1D, StepView, int, ArrayView<float>>(ElementKernels.Round);
        _count.Add();
        _round(rows * width, step, width, x);
    }

    /// <summary>Scales and caps logits.</summary>
    internal void ScaleAndCap(int count, float scale, float cap, ArrayView<float> x)
    {
        _scaleAndCap ??= _accelerator.LoadAutoGroupedStreamKernel<Index1D, float, float, ArrayView<float>>(ElementKernels.ScaleAndCap);
        _count.Add();
        _scaleAndCap(count, scale, cap, x);
    }

    /// <summary><c>x += factor · y</c>.</summary>
    internal void AddScaled(int count, ArrayView<float> x, ArrayView<float> y, float factor)
    {
        _addScaled ??= _accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<float>, float>(ElementKernels.AddScaled);
        _count.Add();
        _addScaled(count, x, y, factor);
    }

    /// <summary><c>y = 0</c>.</summary>
    internal void Clear(int count, ArrayView<float> y)
    {
        _clear ??= _accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>>(ElementKernels.Clear);
        _count.Add();
        _clear(count, y);
    }

    /// <summary>Rows of an operand that has float32.</summary>
    internal void Gather(int rows, Operand x, ArrayView<int> list, int width, ArrayView<float> y)
    {
        _gather ??= _accelerator.LoadAutoGroupedStreamKernel<Index1D, Operand, ArrayView<int>, int, ArrayView<float>>(ElementKernels.Gather);
        _count.Add();
        _gather(rows * width, x, list, width, y);
    }

    /// <summary>Adds weighted rows to others.</summary>
    internal void ScatterAdd(int rows, ArrayView<float> x, ArrayView<int> list, ArrayView<float> weights, int width, ArrayView<float> y)
    {
        _scatterAdd ??= _accelerator.LoadAutoGroupedStreamKernel<Index1D, ArrayView<float>, ArrayView<int>, ArrayView<float>, int, ArrayView<float>>(ElementKernels.ScatterAdd);
        _count.Add();
        _scatterAdd(rows * width, x, list, weights, width, y);
    }

    private protected abstract AttentionKernels LoadAttention<TKv>(Accelerator accelerator, LaunchCount count, int keptSize) where TKv : struct, IKvFormat;
}
