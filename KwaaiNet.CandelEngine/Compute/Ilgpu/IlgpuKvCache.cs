using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Stacks;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A session's keys and values on the device: pages of the stack's pool, all taken when the session is opened.</summary>
internal sealed class IlgpuKvCache : StackCache
{
    private readonly IlgpuBlockStack _stack;
    private readonly KvTable _table;

    internal IlgpuKvCache(IlgpuBlockStack stack, KvTable table, int firstBlock, int endBlock, int capacity, long bytes)
        : base(stack, firstBlock, endBlock, capacity, bytes)
    {
        _stack = stack;
        _table = table;
        PagesOfBlock = KvLayout.Pages(capacity);
    }

    /// <summary>Pages of each block.</summary>
    internal int PagesOfBlock { get; }

    /// <summary>Where the pages of the stack's first block are among all tables, or would be: the session may start at a later one.</summary>
    internal int TableStart => _table.Start - ((FirstBlock - Stack.Options.FirstBlock) * PagesOfBlock);

    internal override void Reserve(int length)
    {
        // Every page was taken when the cache was made.
    }

    protected override void Free() => _stack.Return(_table);
}
