using KwaaiNet.Protocol.Discovery;

namespace KwaaiNet.Discovery.Backends;

/// <summary>A directory this process keeps or reaches by itself.</summary>
internal interface IDirectoryBackend : INodeDirectory, IAsyncDisposable
{
    /// <summary>What and where, for people.</summary>
    string Name { get; }

    /// <summary>Signs in, where that is needed. A backend that cannot be reached is tried again in the background.</summary>
    /// <exception cref="ServiceDefaults.Hosting.NodeFailureException">The backend does not let this service in, whatever it does.</exception>
    Task SignInAsync(CancellationToken cancellationToken = default);

    /// <summary>Asks for a sign of life, and whether records are taken.</summary>
    /// <exception cref="DirectoryUnavailableException">The backend could not be reached, or takes nothing.</exception>
    Task PingAsync(CancellationToken cancellationToken = default);
}
