using KwaaiNet.Discovery.Backends;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Testcontainers.Redis;

namespace KwaaiNet.Discovery.Tests;

[Trait("Category", "Docker")]
public sealed class RedisRestartTests(RedisContainerFixture redis) : IClassFixture<RedisContainerFixture>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_redis_that_comes_back_is_used_again()
    {
        RedisContainer container = redis.Container;
        await using RedisDirectory directory = RedisDirectory.Connect(container.GetConnectionString(), 100, TimeProvider.System, NullLoggerFactory.Instance);
        using TestIdentity node = new();
        await using WatchReader watch = await WatchReader.StartAsync(directory, new NodeQuery());
        // Paused, not stopped: a stopped container may come back on another port. Nothing answers, connections stay open.
        await container.PauseAsync(Cancel);
        await Assert.ThrowsAsync<DirectoryUnavailableException>(() => directory.AnnounceAsync(node.Next(), Cancel));
        await Assert.ThrowsAsync<DirectoryUnavailableException>(watch.NextAsync);
        await container.UnpauseAsync(Cancel);
        await AnnounceUntilItWorksAsync(directory, node);
        await using WatchReader again = await WatchReader.StartAsync(directory, new NodeQuery());
        Assert.Equal(node.NodeId, Assert.Single(again.Snapshot).Record!.NodeId);
    }

    // The connection is made again in the background; every failed try takes as long as the client takes to say so.
    private static async Task AnnounceUntilItWorksAsync(RedisDirectory directory, TestIdentity node)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(Cancel);
        limit.CancelAfter(TimeSpan.FromSeconds(60));
        using PeriodicTimer timer = new(TimeSpan.FromMilliseconds(100));
        while (await timer.WaitForNextTickAsync(limit.Token))
        {
            try
            {
                await directory.AnnounceAsync(node.Next(), limit.Token);
                return;
            }
            catch (DirectoryUnavailableException)
            {
            }
            catch (NodeRecordException)
            {
                // A try that was given up did arrive.
            }
        }
    }
}
