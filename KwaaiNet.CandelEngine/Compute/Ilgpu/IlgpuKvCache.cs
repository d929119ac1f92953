using System.Numerics;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Attention;
using KwaaiNet.CandelEngine.Compute.Stacks;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu;

/// <summary>A session's keys and values on the device.</summary>
internal sealed class IlgpuKvCache : StackCache
{
    private readonly IlgpuBlockStack _stack;

    internal IlgpuKvCache(IlgpuBlockStack stack, int firstBlock, int endBlock)
        : base(stack, firstBlock, endBlock)
    {
        _stack = stack;
        Table = new KvTable(Blocks);
    }

    /// <summary>Where kernels find the pages.</summary>
    internal KvTable Table { get; }

    /// <summary>Where the pages of the stack's first block are among all tables, or would be: the session may start at a later one.</summary>
    internal int TableStart => Table.Start - ((FirstBlock - Stack.Options.FirstBlock) * Table.Stride);

    protected override bool TryMakeRoom(int pages)
    {
        if (pages <= Table.Stride) return true;
        if (!_stack.Tables.TryPlace(Table, (int)BitOperations.RoundUpToPowerOf2((uint)pages))) return false;

        OnPages(0);
        return true;
    }

    protected override void OnPages(int first)
    {
        for (int page = first; page < HeldPages; page++)
        {
            for (int block = 0; block < Blocks; block++) _stack.Tables.Set(Table, block, page, PageOf(page, block));
        }
    }

    protected override void Free() => _stack.Tables.Remove(Table);
}
