using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A mixture of experts: the router's logits cross to the host, which picks; then one expert after the other runs on the rows that want it.</summary>
/// <remarks>Experts go in the order of their numbers, so a row's sum has one order, whatever rows are beside it.</remarks>
internal sealed class IlgpuExperts
{
    private readonly ExpertShape _shape;
    private readonly DeviceMatrix _router;
    private readonly IlgpuFeedForward[] _experts;

    internal IlgpuExperts(ExpertShape shape, TensorData router, FeedForwardTensors[] experts, Func<TensorData, DeviceMatrix> matrix, Func<TensorData?, ArrayView<float>?> vector)
    {
        _shape = shape;
        _router = matrix(router);
        _experts = Array.ConvertAll(experts, expert => new IlgpuFeedForward(expert, matrix, vector));
    }

    /// <summary>Runs the experts that each row's router picks, and adds their outputs by weight.</summary>
    /// <param name="kernels">The kernels.</param>
    /// <param name="activation">The function on the gate.</param>
    /// <param name="x">The rows, <c>[rows, width]</c>.</param>
    /// <param name="rows">How many.</param>
    /// <param name="width">Numbers in a row.</param>
    /// <param name="scratch">The piece's scratch, with room for experts.</param>
    /// <param name="y">The sums, <c>[rows, width]</c>.</param>
    internal void Run(KernelSet kernels, GateActivation activation, ArrayView<float> x, int rows, int width, IlgpuScratch scratch, ArrayView<float> y)
    {
        IlgpuExpertScratch room = scratch.Experts!;
        _router.Multiply(x, rows, room.Logits);
        room.Logits.SubView(0, rows * _shape.Count).CopyToCPU(ref room.LogitsHost[0], rows * _shape.Count);
        for (int row = 0; row < rows; row++)
        {
            ExpertRouter.Pick(
                room.LogitsHost.AsSpan(row * _shape.Count, _shape.Count),
                _shape,
                room.Chosen.AsSpan(row * _shape.Used, _shape.Used),
                room.Weights.AsSpan(row * _shape.Used, _shape.Used));
        }

        kernels.Clear(rows * width, y);
        for (int expert = 0; expert < _experts.Length; expert++)
        {
            int count = TakeRows(room, expert, rows);
            if (count == 0) continue;

            room.Rows.SubView(0, count).CopyFromCPU(ref room.RowsHost[0], count);
            room.RowWeights.SubView(0, count).CopyFromCPU(ref room.RowWeightsHost[0], count);
            kernels.Gather(count * width, x, room.Rows, width, room.Input);
            _experts[expert].Run(kernels, activation, room.Input, count, scratch, room.Output);
            kernels.ScatterAdd(count * width, room.Output, room.Rows, room.RowWeights, width, y);
        }
    }

    private int TakeRows(IlgpuExpertScratch room, int expert, int rows)
    {
        int count = 0;
        for (int row = 0; row < rows; row++)
        {
            int at = room.Chosen.AsSpan(row * _shape.Used, _shape.Used).IndexOf(expert);
            if (at < 0) continue;

            room.RowsHost[count] = row;
            room.RowWeightsHost[count++] = room.Weights[(row * _shape.Used) + at];
        }

        return count;
    }
}
