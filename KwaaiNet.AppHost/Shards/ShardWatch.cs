using System.Collections.Immutable;
using KwaaiNet.AppHost.Settings;
using Microsoft.Extensions.Hosting;

namespace KwaaiNet.AppHost.Shards;

/// <summary>Keeps each shard's blocks, backend, device and state among the properties that the dashboard shows.</summary>
internal sealed class ShardWatch(
    DistributedApplicationModel model, ResourceNotificationService notifications, ShardBoard board, TimeProvider time) : BackgroundService
{
    /// <summary>The property that says which blocks a shard holds.</summary>
    public const string Blocks = "kwaainet.blocks";

    /// <summary>The property that says what computes.</summary>
    public const string Backend = "kwaainet.backend";

    /// <summary>The property that says on which device.</summary>
    public const string Device = "kwaainet.device";

    /// <summary>The property that says what the shard is doing.</summary>
    public const string State = "kwaainet.state";

    /// <summary>The property that says which process the node is.</summary>
    public const string ProcessId = "kwaainet.pid";

    private const string StateName = "State of the shard";
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    /// <inheritdoc/>
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(model.Resources.OfType<ProjectResource>().Where(ResourceNames.IsShard).Select(shard => FollowAsync(shard, stoppingToken)));

    private async Task FollowAsync(ProjectResource shard, CancellationToken stoppingToken)
    {
        using PeriodicTimer timer = new(s_period, time);
        while (await timer.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
        {
            ImmutableArray<ResourcePropertySnapshot> now = await DescribeAsync(shard, stoppingToken).ConfigureAwait(false);
            // With what is shown, not with what was said last: the orchestrator writes properties as well, and makes them anew for a new process.
            if (!notifications.TryGetCurrentState(shard.Name, out ResourceEvent? current) || now.SequenceEqual(current.Snapshot.Properties.Where(IsOurs))) continue;

            await notifications.PublishUpdateAsync(shard, snapshot => snapshot with
            {
                Properties = [.. snapshot.Properties.Where(property => !IsOurs(property)), .. now],
            }).ConfigureAwait(false);
        }
    }

    private static bool IsOurs(ResourcePropertySnapshot property) => property.Name.StartsWith("kwaainet.", StringComparison.Ordinal);

    private async Task<ImmutableArray<ResourcePropertySnapshot>> DescribeAsync(ProjectResource shard, CancellationToken stoppingToken)
    {
        // What a process that is gone held is no property of the resource any more.
        if (!notifications.TryGetCurrentState(shard.Name, out ResourceEvent? current) || current.Snapshot.State?.Text != KnownResourceStates.Running) return [];

        ShardReport? report = await board.AskAsync(shard, stoppingToken).ConfigureAwait(false);
        if (report is null) return [Property(State, StateName, "does not answer", 3)];

        string blocks = report.Blocks is null ? "none yet" : report.BlockCount is { } count ? $"{report.Blocks} of 0-{count - 1}" : report.Blocks;
        return
        [
            Property(Blocks, "Blocks", blocks, 0),
            Property(Backend, "Backend", report.Backend ?? "not chosen yet", 1),
            Property(Device, "Device", report.Device ?? "not chosen yet", 2),
            Property(State, StateName, report.State, 3),
            Property(ProcessId, "Process of the node", report.ProcessId, 4),
        ];
    }

    private static ResourcePropertySnapshot Property(string name, string display, object value, int order) =>
        new(name, value) { DisplayName = display, IsHighlighted = true, SortOrder = order };
}
