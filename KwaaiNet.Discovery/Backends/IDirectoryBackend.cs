using KwaaiNet.Protocol.Discovery;

namespace KwaaiNet.Discovery.Backends;

/// <summary>A directory this process keeps or reaches by itself.</summary>
internal interface IDirectoryBackend : INodeDirectory, IAsyncDisposable
{
    /// <summary>What and where, for people.</summary>
    string Name { get; }

    /// <summary>Asks for a sign of life.</summary>
    /// <exception cref="DirectoryUnavailableException">The backend could not be reached.</exception>
    Task PingAsync(CancellationToken cancellationToken = default);
}
