using KwaaiNet.Discovery.Backends;

namespace KwaaiNet.Discovery.Hosting;

/// <summary>Ends a start that cannot come to anything: a backend that refuses who asks, before anybody is told that the service runs.</summary>
internal sealed class DirectoryStart(IDirectoryBackend backend) : IHostedService
{
    public Task StartAsync(CancellationToken cancellationToken) => backend.SignInAsync(cancellationToken);

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
}
