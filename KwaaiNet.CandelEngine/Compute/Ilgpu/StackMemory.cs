using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Stacks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>What a range of blocks takes on a device, before anything of it is loaded: weights, activations, and the pool of KV pages.</summary>
internal sealed class StackMemory
{
    // A budget without a bound means a share of what is left, since others may come after; and no more than this many sessions can fill.
    private const int ShareOfRest = 2;
    private const int MostSessions = 32;

    private StackMemory(RangeTensors tensors, ActivationPlan activations, long weightBytes, long pageBytes, int pages)
    {
        Tensors = tensors;
        Activations = activations;
        WeightBytes = weightBytes;
        PageBytes = pageBytes;
        Pages = pages;
    }

    internal RangeTensors Tensors { get; }

    /// <summary>Working memory.</summary>
    internal ActivationPlan Activations { get; }

    /// <summary>Bytes of the weights.</summary>
    internal long WeightBytes { get; }

    /// <summary>Bytes of a KV page.</summary>
    internal long PageBytes { get; }

    /// <summary>KV pages.</summary>
    internal int Pages { get; }

    /// <summary>All of it.</summary>
    internal long Bytes => WeightBytes + Activations.Bytes + KvPool.BytesOf(Pages, PageBytes);

    /// <summary>Adds up what a range takes.</summary>
    /// <param name="device">The device.</param>
    /// <param name="shape">The model.</param>
    /// <param name="options">The range, and the KV budget; one without a bound is what may be useful of what is left.</param>
    /// <param name="tensors">The range's tensors.</param>
    /// <param name="pieceRows">Rows that run together at most.</param>
    internal static StackMemory Of(IlgpuDevice device, ModelShape shape, BlockStackOptions options, RangeTensors tensors, int pieceRows)
    {
        ActivationPlan activations = ActivationPlan.For(shape, tensors, device.Kernels, pieceRows, IlgpuBlockStack.HeadRowsTogether);
        long weights = IlgpuWeights.BytesOf(tensors);
        long pageBytes = KvLayout.PageBytes(options.KvFormat, shape.KvHeadCount, shape.HeadSize);
        long rest = Math.Max(0, device.FreeBytes - weights - activations.Bytes);
        long session = pageBytes * KvLayout.Pages(shape.ContextLength) * tensors.Blocks.Length;
        long budget = options.KvBudgetBytes == long.MaxValue ? Math.Min(rest / ShareOfRest, MostSessions * session) : options.KvBudgetBytes;
        return new StackMemory(tensors, activations, weights, pageBytes, BlockStack.PagesIn(budget, pageBytes));
    }

    /// <summary>Blocks that would fit into so many bytes, counted from the range's first.</summary>
    internal int BlocksThatFit(long bytes)
    {
        long left = bytes - (Bytes - Tensors.Blocks.Sum(IlgpuWeights.BytesOf));
        int count = 0;
        foreach (BlockTensors block in Tensors.Blocks)
        {
            left -= IlgpuWeights.BytesOf(block);
            if (left < 0) break;

            count++;
        }

        return count;
    }
}
