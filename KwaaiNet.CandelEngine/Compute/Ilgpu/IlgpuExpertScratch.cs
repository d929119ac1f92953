using ILGPU;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Room for a mixture of experts, on the device and on the host, for one piece of a batch.</summary>
internal sealed class IlgpuExpertScratch(ExpertShape shape, int rows, int width, Func<int, int, ArrayView<float>> floats, Func<int, int, ArrayView<int>> integers)
{
    /// <summary>The router's logits, <c>[rows, Count]</c>.</summary>
    internal ArrayView<float> Logits { get; } = floats(rows, shape.Count);

    /// <summary>The rows that want one expert, and their weights.</summary>
    internal ArrayView<int> Rows { get; } = integers(rows, 1);

    /// <summary>The weights of <see cref="Rows"/>.</summary>
    internal ArrayView<float> RowWeights { get; } = floats(rows, 1);

    /// <summary>An expert's input, <c>[rows, Width]</c>.</summary>
    internal ArrayView<float> Input { get; } = floats(rows, width);

    /// <summary>An expert's output, <c>[rows, Width]</c>.</summary>
    internal ArrayView<float> Output { get; } = floats(rows, width);

    /// <summary><see cref="Logits"/> on the host.</summary>
    internal float[] LogitsHost { get; } = new float[rows * shape.Count];

    /// <summary>Experts of each row, ascending, <c>[rows, Used]</c>.</summary>
    internal int[] Chosen { get; } = new int[rows * shape.Used];

    /// <summary>Their weights, <c>[rows, Used]</c>.</summary>
    internal float[] Weights { get; } = new float[rows * shape.Used];

    /// <summary><see cref="Rows"/> on the host.</summary>
    internal int[] RowsHost { get; } = new int[rows];

    /// <summary><see cref="RowWeights"/> on the host.</summary>
    internal float[] RowWeightsHost { get; } = new float[rows];
}
