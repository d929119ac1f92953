using System.Collections.Concurrent;
using KwaaiNet.AppHost.Processes;
using KwaaiNet.AppHost.Settings;

namespace KwaaiNet.AppHost.Shards;

/// <summary>Which process each shard is, as it last said itself: what started it may be a wrapper such as <c>dotnet run</c>.</summary>
internal sealed class ShardBoard(ShardClient client)
{
    private readonly ConcurrentDictionary<string, ShardProcess> _processes = new(StringComparer.Ordinal);

    /// <summary>The shard's report; null when it does not answer in time.</summary>
    public async Task<ShardReport?> AskAsync(ProjectResource shard, CancellationToken cancellationToken)
    {
        ShardReport? report = await client.AskAsync(shard.GetEndpoint(ResourceNames.Http), cancellationToken).ConfigureAwait(false);
        if (report is not null && ShardProcess.Find(report.ProcessId) is { } process) _processes[shard.Name] = process;
        return report;
    }

    /// <summary>The shard's process, also when it is frozen and cannot say; null when there is none.</summary>
    public async Task<ShardProcess?> FindProcessAsync(ProjectResource shard, CancellationToken cancellationToken)
    {
        _ = await AskAsync(shard, cancellationToken).ConfigureAwait(false);
        return _processes.TryGetValue(shard.Name, out ShardProcess process) && process.IsRunning ? process : null;
    }
}
