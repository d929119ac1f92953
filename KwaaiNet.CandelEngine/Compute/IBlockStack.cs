using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute;

/// <summary>A contiguous range of transformer blocks, loaded and ready to run.</summary>
/// <remarks>Not safe for concurrent use: one loop owns a stack and its caches. Disposing either does not throw, also when the device has failed.</remarks>
public interface IBlockStack : IDisposable
{
    /// <summary>The whole model's dimensions.</summary>
    ModelShape Shape { get; }

    /// <summary>What was loaded.</summary>
    BlockStackOptions Options { get; }

    /// <summary>Bytes that the weights occupy on the device.</summary>
    long WeightBytes { get; }

    /// <summary>Bytes one position takes in the KV cache of one block.</summary>
    long KvBytesPerBlockPosition { get; }

    /// <summary>Bytes of the KV budget not held by any cache.</summary>
    long KvFreeBytes { get; }

    /// <summary>Makes an empty KV cache for one session over a part of this stack's blocks.</summary>
    /// <param name="firstBlock">First block the session runs here.</param>
    /// <param name="endBlock">One past the last block the session runs here.</param>
    /// <param name="capacity">Positions the session may reach; no more than the model's context length.</param>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or not held, or the capacity exceeds the context.</exception>
    /// <exception cref="KvExhaustedException">The budget has no room; nothing was taken.</exception>
    KvCache CreateCache(int firstBlock, int endBlock, int capacity);

    /// <summary>Runs steps of different sessions as one batch. Each step's result is the same as if it ran alone.</summary>
    /// <remarks>
    /// Either every step's cache has advanced by its rows when this returns, or (on an exception) the caches of all steps
    /// have the lengths they had before. No allocation per call once warm.
    /// </remarks>
    /// <exception cref="ArgumentException">A step does not fit this stack or its cache; nothing ran.</exception>
    /// <exception cref="ComputeException">The device failed; the stack must be considered lost.</exception>
    void Run(ReadOnlySpan<BlockStep> batch);
}
