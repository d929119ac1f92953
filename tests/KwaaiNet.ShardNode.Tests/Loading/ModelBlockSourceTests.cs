using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Configuration;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Tests.Fakes;
using KwaaiNet.ShardNode.Tests.Hosts;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Tests.Loading;

public sealed class ModelBlockSourceTests
{
    [Fact]
    public async Task A_download_under_way_keeps_nobody_waiting()
    {
        SlowFiles files = new();
        ShardOptions options = new() { ModelPath = TinyModel.Path, Backend = "cpu", Threads = 1, KvBudgetMegabytes = 1 };
        using ModelBlockSource source = new(Options.Create(options), files, NullLogger<ModelBlockSource>.Instance);
        await source.OpenAsync(TestContext.Current.CancellationToken);
        BlockRange range = new(2, 4);

        Task<IBlockStack> loading = source.LoadAsync(range, TestContext.Current.CancellationToken);
        Task<BlockMemory?> asking = Task.Run(() => source.MemoryFor(range), TestContext.Current.CancellationToken);

        Assert.True((await asking.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken))!.Value.Fits);
        Assert.False(loading.IsCompleted);
        files.Arrived.SetResult();
        using IBlockStack stack = await loading.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
        Assert.Equal((2, 4), (stack.Options.FirstBlock, stack.Options.EndBlock));
    }

    private sealed class SlowFiles : IModelFiles
    {
        public TaskCompletionSource Arrived { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<string> ForMetadataAsync(CancellationToken cancellationToken) => Task.FromResult(TinyModel.Path);

        public async Task<string> ForBlocksAsync(BlockRange range, CancellationToken cancellationToken)
        {
            await Arrived.Task.WaitAsync(cancellationToken);
            return TinyModel.Path;
        }
    }
}
