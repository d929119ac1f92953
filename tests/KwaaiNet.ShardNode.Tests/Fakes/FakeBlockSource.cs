using System.Collections.Concurrent;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Serving;

namespace KwaaiNet.ShardNode.Tests.Fakes;

/// <summary>Fake blocks in a real host.</summary>
internal sealed class FakeBlockSource : IBlockSource
{
    private readonly ConcurrentQueue<FakeStack> _stacks = new();

    public IReadOnlyList<FakeStack> Stacks => [.. _stacks];

    public ModelFacts Open(CancellationToken cancellationToken)
    {
        using FakeStack stack = new();
        return new ModelFacts("tiny", LoopHarness.Hash, "F32", stack.Shape, "fake", "fake");
    }

    public IBlockStack Load(BlockRange range, CancellationToken cancellationToken)
    {
        FakeStack stack = new(range.First, range.End);
        _stacks.Enqueue(stack);
        return stack;
    }

    public void Dispose()
    {
    }
}
