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

    /// <summary>Positions in a page of keys and values: the same for every session of the stack, and a divisor of 64.</summary>
    int KvPagePositions { get; }

    /// <summary>Pages there are for all sessions together. A page is <see cref="KvPagePositions"/> positions of one block.</summary>
    int KvPages { get; }

    /// <summary>Pages that nobody holds. A page that several share is one page.</summary>
    int KvFreePages { get; }

    /// <summary>Bytes of the KV budget that nobody holds.</summary>
    long KvFreeBytes { get; }

    /// <summary>Makes a KV cache for one session over a part of this stack's blocks. It takes no page but the ones it shares.</summary>
    /// <param name="firstBlock">First block the session runs here.</param>
    /// <param name="endBlock">One past the last block the session runs here.</param>
    /// <param name="beginning">
    /// Pages of the session's first positions, in order, as <see cref="KvCache.Share"/> gave them for the same tokens: they count as filled.
    /// Each covers at least the blocks asked for. The references stay the caller's.
    /// </param>
    /// <exception cref="ArgumentException">A page is another stack's, was given back, or does not cover the blocks.</exception>
    /// <exception cref="ArgumentOutOfRangeException">The range is empty or not held, or the pages exceed the context.</exception>
    /// <exception cref="KvExhaustedException">The stack cannot refer to so many pages at once; nothing was taken.</exception>
    /// <exception cref="ComputeException">The device failed.</exception>
    KvCache CreateCache(int firstBlock, int endBlock, ReadOnlySpan<KvPage> beginning = default);

    /// <summary>Runs steps of different sessions as one batch. Each step's result is the same as if it ran alone.</summary>
    /// <remarks>
    /// Either every step's cache has advanced by its rows when this returns, or (on an exception) the caches of all steps
    /// have the lengths they had before. A cache without room for its rows takes it here. No allocation per call once warm.
    /// </remarks>
    /// <exception cref="ArgumentException">A step does not fit this stack or its cache; nothing ran.</exception>
    /// <exception cref="KvExhaustedException">There are not enough free pages for the rows of all steps; nothing ran.</exception>
    /// <exception cref="ComputeException">The device failed; the stack must be considered lost.</exception>
    void Run(ReadOnlySpan<BlockStep> batch);
}
