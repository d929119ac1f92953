using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>Room for a mixture of experts, on the device and on the host, for one piece of a batch.</summary>
/// <param name="shape">The mixture.</param>
/// <param name="rows">Rows of a piece.</param>
/// <param name="width">Numbers in a hidden state.</param>
/// <param name="input">An expert's rows, as it takes them.</param>
/// <param name="floats">Takes float32 on the device.</param>
/// <param name="integers">Takes integers on the device.</param>
internal sealed class IlgpuExpertScratch(
    ExpertShape shape, int rows, int width, OperandBuffer input, Func<long, ArrayView<float>> floats, Func<long, ArrayView<int>> integers)
{
    /// <summary>The router's logits, <c>[rows, Count]</c>.</summary>
    internal ArrayView<float> Logits { get; } = floats((long)rows * shape.Count);

    /// <summary>The rows that want one expert.</summary>
    internal ArrayView<int> Rows { get; } = integers(rows);

    /// <summary>The weights of <see cref="Rows"/>.</summary>
    internal ArrayView<float> RowWeights { get; } = floats(rows);

    /// <summary>The rows that an expert runs on, as float32, <c>[rows, Width]</c>.</summary>
    internal ArrayView<float> Gathered { get; } = floats((long)rows * width);

    /// <summary>An expert's input.</summary>
    internal OperandBuffer Input { get; } = input;

    /// <summary>An expert's output, <c>[rows, Width]</c>.</summary>
    internal ArrayView<float> Output { get; } = floats((long)rows * width);

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
