using KwaaiNet.CandelEngine.Compute.Cpu.Kv;
using KwaaiNet.CandelEngine.Compute.Stacks;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>A session's keys and values in native memory.</summary>
internal sealed class CpuKvCache : StackCache
{
    private readonly CpuBlockStack _stack;
    private nint[] _addresses; // [pages of a block, blocks], as the pages' numbers

    internal CpuKvCache(CpuBlockStack stack, int firstBlock, int endBlock)
        : base(stack, firstBlock, endBlock)
    {
        _stack = stack;
        _addresses = new nint[FirstRoom * Blocks];
    }

    /// <summary>The pages of one block, counted in the model.</summary>
    internal KvBlock Block(int block) =>
        new(_addresses, block - FirstBlock, Blocks, Stack.Shape.KvHeadCount, Stack.Shape.HeadSize, _stack.KeptFormat);

    protected override bool TryMakeRoom(int pages)
    {
        if (_addresses.Length < pages * Blocks) Array.Resize(ref _addresses, Math.Max(pages * Blocks, 2 * _addresses.Length));
        return true;
    }

    protected override void OnPages(int first)
    {
        for (int page = first; page < HeldPages; page++)
        {
            for (int block = 0; block < Blocks; block++) _addresses[(page * Blocks) + block] = _stack.AddressOf(PageOf(page, block));
        }
    }
}
