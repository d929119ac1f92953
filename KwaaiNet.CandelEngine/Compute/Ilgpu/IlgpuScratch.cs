using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A stack's scratch on the device: room for one piece of a batch, reused by every block.</summary>
internal sealed class IlgpuScratch : IDisposable
{
    private readonly Accelerator _accelerator;
    private readonly Stack<MemoryBuffer> _buffers = new();

    /// <param name="accelerator">The device.</param>
    /// <param name="shape">The model.</param>
    /// <param name="rows">Rows of a piece.</param>
    /// <param name="angles">Numbers in one position's angles.</param>
    /// <param name="headRows">Rows whose logits are computed together; 0 without an output head.</param>
    internal IlgpuScratch(Accelerator accelerator, ModelShape shape, int rows, int angles, int headRows)
    {
        _accelerator = accelerator;
        try
        {
            int feedForward = shape.Experts?.FeedForwardWidth ?? shape.FeedForwardWidth;
            Residual = Allocate<float>(rows, shape.Width);
            Normed = Allocate<float>(rows, shape.Width);
            Query = Allocate<float>(rows, shape.QueryWidth);
            Key = Allocate<float>(rows, shape.KvWidth);
            Value = Allocate<float>(rows, shape.KvWidth);
            Attended = Allocate<float>(rows, shape.QueryWidth);
            Projected = Allocate<float>(rows, shape.Width);
            Gate = Allocate<float>(rows, feedForward);
            Up = Allocate<float>(rows, feedForward);
            Angles = Allocate<float>(rows, angles);
            Tokens = Allocate<int>(rows, 1);
            HeadRows = Allocate<int>(headRows, 1);
            Logits = Allocate<float>(headRows, shape.VocabularySize);
            if (shape.Experts is { } experts) Experts = new IlgpuExpertScratch(experts, rows, shape.Width, Allocate<float>, Allocate<int>);
            EveryRow = Allocate<int>(rows, 1);
            int[] everyRow = [.. Enumerable.Range(0, rows)];
            EveryRow.CopyFromCPU(ref everyRow[0], everyRow.Length);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>Hidden states, <c>[rows, Width]</c>.</summary>
    internal ArrayView<float> Residual { get; }

    /// <summary>Normed hidden states, <c>[rows, Width]</c>.</summary>
    internal ArrayView<float> Normed { get; }

    /// <summary>Queries, <c>[rows, QueryWidth]</c>.</summary>
    internal ArrayView<float> Query { get; }

    /// <summary>Keys, <c>[rows, KvWidth]</c>.</summary>
    internal ArrayView<float> Key { get; }

    /// <summary>Values, <c>[rows, KvWidth]</c>.</summary>
    internal ArrayView<float> Value { get; }

    /// <summary>What attention gives, <c>[rows, QueryWidth]</c>.</summary>
    internal ArrayView<float> Attended { get; }

    /// <summary>What attention or the feed-forward layer adds, <c>[rows, Width]</c>.</summary>
    internal ArrayView<float> Projected { get; }

    /// <summary>The feed-forward layer's gate, <c>[rows, width]</c>.</summary>
    internal ArrayView<float> Gate { get; }

    /// <summary>The feed-forward layer's up projection, <c>[rows, width]</c>.</summary>
    internal ArrayView<float> Up { get; }

    /// <summary>Cosines and sines, <c>[rows, angles]</c>.</summary>
    internal ArrayView<float> Angles { get; }

    /// <summary>Tokens to embed, <c>[rows]</c>.</summary>
    internal ArrayView<int> Tokens { get; }

    /// <summary>0, 1, 2 …, <c>[rows]</c>.</summary>
    internal ArrayView<int> EveryRow { get; }

    /// <summary>Rows whose logits are wanted.</summary>
    internal ArrayView<int> HeadRows { get; }

    /// <summary>Logits, <c>[head rows, Vocabulary]</c>.</summary>
    internal ArrayView<float> Logits { get; }

    /// <summary>Room for a mixture of experts; null without one.</summary>
    internal IlgpuExpertScratch? Experts { get; }

    public void Dispose()
    {
        while (_buffers.TryPop(out MemoryBuffer? buffer)) buffer.Dispose();
    }

    private ArrayView<T> Allocate<T>(int rows, int width) where T : unmanaged
    {
        // Devices have no buffers of no bytes.
        MemoryBuffer1D<T, Stride1D.Dense> buffer = _accelerator.Allocate1D<T>(Math.Max(1, (long)rows * width));
        _buffers.Push(buffer);
        return buffer.View;
    }
}
