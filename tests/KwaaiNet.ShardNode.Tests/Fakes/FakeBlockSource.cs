using System.Collections.Concurrent;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Loading;

namespace KwaaiNet.ShardNode.Tests.Fakes;

/// <summary>Fake blocks in a real host.</summary>
internal sealed class FakeBlockSource : IBlockSource
{
    private readonly ConcurrentQueue<FakeStack> _stacks = new();

    /// <summary>What the device claims to be.</summary>
    public string DeviceKind { get; init; } = "cpu";

    /// <summary>Bytes on the device, of which a block takes 100 and the embedding 250; null: it does not tell.</summary>
    public long? DeviceBytes { get; init; }

    /// <summary>Makes the blocks that are loaded.</summary>
    public Func<BlockRange, FakeStack> Make { get; init; } = range => new FakeStack(range.First, range.End);

    public IReadOnlyList<FakeStack> Stacks => [.. _stacks];

    public Task<OpenedModel> OpenAsync(CancellationToken cancellationToken)
    {
        using FakeStack stack = new();
        return Task.FromResult(new OpenedModel("tiny", LoopHarness.Hash, "F32", stack.Shape, "fake", "fake", DeviceKind));
    }

    public Task<IBlockStack> LoadAsync(BlockRange range, CancellationToken cancellationToken)
    {
        FakeStack stack = Make(range);
        _stacks.Enqueue(stack);
        return Task.FromResult<IBlockStack>(stack);
    }

    public BlockMemory? MemoryFor(BlockRange range) =>
        DeviceBytes is { } bytes ? new BlockMemory((100 * range.Count) + (range.First == 0 ? 250 : 0), bytes) : null;

    public void Dispose()
    {
    }
}
