using KwaaiNet.Discovery.Backends;
using KwaaiNet.Protocol.Discovery;
using Microsoft.Extensions.Logging.Abstractions;
using Testcontainers.Redis;

namespace KwaaiNet.Discovery.Tests;

[Trait("Category", "Docker")]
public sealed class RedisDirectoryTests(RedisContainerFixture redis) : DirectoryConformance, IClassFixture<RedisContainerFixture>, IAsyncLifetime
{
    private RedisDirectory? _directory;

    protected override INodeDirectory Directory => _directory!;

    public ValueTask InitializeAsync()
    {
        _directory = Connect(redis.Container);
        return ValueTask.CompletedTask;
    }

    public async ValueTask DisposeAsync()
    {
        if (_directory is not null)
            await _directory.DisposeAsync();
        Dispose();
    }

    [Fact]
    public async Task Two_services_on_one_redis_see_the_same()
    {
        await using RedisDirectory other = Connect(redis.Container);
        using TestIdentity node = new();
        string network = $"test-{Guid.NewGuid():N}";
        await using WatchReader watch = await WatchReader.StartAsync(other, new NodeQuery(network));
        await Directory.AnnounceAsync(node.Next(network), TestContext.Current.CancellationToken);
        Assert.Equal(NodeChangeKind.Announced, (await watch.NextAsync()).Kind);
        await Directory.WithdrawAsync(node.Next(network, withdrawn: true), TestContext.Current.CancellationToken);
        Assert.Equal(NodeChangeKind.Withdrawn, (await watch.NextAsync()).Kind);
    }

    private static RedisDirectory Connect(RedisContainer container) =>
        RedisDirectory.Connect(container.GetConnectionString(), 10_000, TimeProvider.System, NullLoggerFactory.Instance);
}
