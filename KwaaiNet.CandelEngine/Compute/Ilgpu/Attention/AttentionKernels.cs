using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Steps;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;

/// <summary>The kernels of attention for one accelerator, one size of head and one format of keys and values.</summary>
internal abstract class AttentionKernels
{
    /// <summary>Rows up to which a row's splits run side by side; with more there is enough to do without.</summary>
    internal const int MostRowsApart = 32;

    /// <summary>Brings heads to their places: see <see cref="HeadPlacer"/>.</summary>
    /// <param name="shape">The block.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="step">The rows.</param>
    /// <param name="product">Queries, keys and values as the product left them.</param>
    /// <param name="queryNorm">The norm of query heads; any view without one.</param>
    /// <param name="keyNorm">The norm of key heads; any view without one.</param>
    /// <param name="query">Where turned queries go.</param>
    /// <param name="pages">Where keys and values go.</param>
    internal abstract void Place(
        AttentionShape shape, int rows, StepView step, ArrayView<float> product, ArrayView<float> queryNorm, ArrayView<float> keyNorm, ArrayView<Four> query, ArrayView<int> pages);

    /// <summary>Attention: see <see cref="CudaAttention"/> and <see cref="PortableAttention"/>.</summary>
    /// <param name="shape">The block.</param>
    /// <param name="rows">How many rows.</param>
    /// <param name="splits">Splits that a row may have.</param>
    /// <param name="step">The rows.</param>
    /// <param name="pages">Every page.</param>
    /// <param name="query">Turned queries.</param>
    /// <param name="room">Scratch memory.</param>
    /// <param name="attended">The result, if the shape wants it plain.</param>
    /// <param name="operand">The result, else.</param>
    internal abstract void Attend(
        AttentionShape shape, int rows, int splits, StepView step, ArrayView<Quad> pages, ArrayView<Four> query, AttentionRoom room, ArrayView<float> attended, Operand operand);
}
