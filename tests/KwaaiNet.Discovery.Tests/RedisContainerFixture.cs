using Testcontainers.Redis;

namespace KwaaiNet.Discovery.Tests;

/// <summary>A Redis server in a container; where no Docker engine answers, the reason why there is none.</summary>
public sealed class RedisContainerFixture : IAsyncLifetime
{
    private const string Image = "redis:7.0";

    private RedisContainer? _container;

    public string? Missing { get; private set; }

    public RedisContainer Container
    {
        get
        {
            Assert.SkipWhen(_container is null, $"No Redis container: {Missing}");
            return _container;
        }
    }

    public async ValueTask InitializeAsync()
    {
        RedisContainer? container = null;
        try
        {
            container = new RedisBuilder(Image).Build();
            await container.StartAsync(TestContext.Current.CancellationToken);
            _container = container;
        }
#pragma warning disable CA1031 // No engine, no image, no right to use it: whatever it is, it is the reason the tests are skipped with.
        catch (Exception error) when (error is not OperationCanceledException)
#pragma warning restore CA1031
        {
            Missing = error.Message.Split('\n')[0];
            if (container is not null)
                await container.DisposeAsync();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_container is not null)
            await _container.DisposeAsync();
    }
}
