using KwaaiNet.Discovery.Backends;
using KwaaiNet.Protocol.Discovery;
using Microsoft.Extensions.Logging.Abstractions;

namespace KwaaiNet.Discovery.Tests;

public sealed class EmbeddedDirectoryTests(EmbeddedDirectoryTests.Server server) : DirectoryConformance, IClassFixture<EmbeddedDirectoryTests.Server>
{
    protected override INodeDirectory Directory => server.Directory;

    [Fact]
    public async Task A_full_directory_takes_no_stranger()
    {
        await using EmbeddedDirectory small = EmbeddedDirectory.Start(2, TimeProvider.System, NullLoggerFactory.Instance);
        using TestIdentity one = new();
        using TestIdentity two = new();
        using TestIdentity three = new();
        await small.AnnounceAsync(one.Next(), TestContext.Current.CancellationToken);
        await small.AnnounceAsync(two.Next(), TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<DirectoryUnavailableException>(() => small.AnnounceAsync(three.Next(), TestContext.Current.CancellationToken));
        await small.AnnounceAsync(one.Next(), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_disposed_directory_ends_its_watches()
    {
        EmbeddedDirectory directory = EmbeddedDirectory.Start(10, TimeProvider.System, NullLoggerFactory.Instance);
        await using WatchReader watch = await WatchReader.StartAsync(directory, new NodeQuery());
        await directory.DisposeAsync();
        await Assert.ThrowsAsync<DirectoryUnavailableException>(watch.NextAsync);
        await Assert.ThrowsAsync<DirectoryUnavailableException>(() => directory.LookupAsync(new NodeQuery(), TestContext.Current.CancellationToken));
    }

    public sealed class Server : IAsyncLifetime
    {
        internal EmbeddedDirectory Directory { get; private set; } = null!;

        public ValueTask InitializeAsync()
        {
            Directory = EmbeddedDirectory.Start(10_000, TimeProvider.System, NullLoggerFactory.Instance);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => Directory.DisposeAsync();
    }
}
