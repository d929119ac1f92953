using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
using KwaaiNet.CandelEngine.Compute.Stacks;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>A session's keys and values in native memory, in pages that come into being as the session grows.</summary>
internal sealed unsafe class CpuKvCache : StackCache
{
    private const int Alignment = 64;

    private readonly nint[] _pages;
    private readonly int _pagesPerBlock;
    private readonly KvFormat _format;
    private int _reservedPages;

    internal CpuKvCache(CpuBlockStack stack, int firstBlock, int endBlock, int capacity, long bytes)
        : base(stack, firstBlock, endBlock, capacity, bytes)
    {
        _format = KvBlock.Usable(stack.Options.KvFormat, stack.Shape.HeadSize);
        _pagesPerBlock = (capacity + KvBlock.PagePositions - 1) / KvBlock.PagePositions;
        _pages = new nint[_pagesPerBlock * (endBlock - firstBlock)];
    }

    /// <summary>The pages of one block, counted in the model.</summary>
    internal KvBlock Block(int block) =>
        new(_pages, (block - FirstBlock) * _pagesPerBlock, Capacity, Stack.Shape.KvHeadCount, Stack.Shape.HeadSize, _format);

    internal override void Reserve(int length)
    {
        int pages = (length + KvBlock.PagePositions - 1) / KvBlock.PagePositions;
        for (; _reservedPages < pages; _reservedPages++)
        {
            long bytes = Stack.KvBytesPerBlockPosition * KvBlock.PositionsIn(_reservedPages, Capacity);
            for (int block = 0; block < EndBlock - FirstBlock; block++)
            {
                ref nint page = ref _pages[(block * _pagesPerBlock) + _reservedPages];
                if (page == 0) page = (nint)NativeMemory.AlignedAlloc((nuint)bytes + KvBlock.PageSlack, Alignment);
            }
        }
    }

    protected override void Free()
    {
        foreach (nint page in _pages) NativeMemory.AlignedFree((void*)page);
        Array.Clear(_pages);
    }
}
