using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.Hosting;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>Keeps this node's record in the directory: announces on every heartbeat and at once after <see cref="AnnounceNowAsync"/>, withdraws when the host stops.</summary>
/// <remarks>An unreachable directory is logged once and tried again with back-off; the node goes on serving. Sequences come from the clock in milliseconds, so that they grow over restarts too.</remarks>
public abstract class NodeAnnouncer : BackgroundService
{
    /// <summary>Fills the fields that are this host's own (role, serving); identity, endpoints, sequence, times, memory and versions are filled in by the announcer.</summary>
    protected abstract void Describe(NodeRecord record);

    /// <summary>Announces what <see cref="Describe"/> says now, and waits until the directory has it.</summary>
    /// <exception cref="DirectoryUnavailableException">The directory could not be reached.</exception>
    public Task AnnounceNowAsync(CancellationToken cancellationToken = default) => throw new NotSupportedException("replaced");

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) => throw new NotSupportedException("replaced");
}
