using System.Diagnostics;
using System.Text.Json;
using KwaaiNet.Cli.Bench.Network;
using KwaaiNet.Cli.Network;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>Looks at what the processes of a network hold.</summary>
internal sealed class SoakNodes(BenchNetwork network, TimeProvider clock)
{
    private const string Client = "client";

    private static readonly TimeSpan s_between = TimeSpan.FromMilliseconds(100);

    /// <summary>How long shards may take to say that nothing is open.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Resident memory by process, in bytes; a process that has ended is missing.</summary>
    public IReadOnlyDictionary<string, long> Memory()
    {
        Dictionary<string, long> held = new(StringComparer.Ordinal);
        foreach (string node in network.Shards.Prepend(NetworkPlan.ApiName).Prepend(NetworkPlan.DiscoveryName))
        {
            try
            {
                using Process process = network.Open(node);
                held[node] = process.WorkingSet64;
            }
            catch (Exception exception) when (exception is ArgumentException or InvalidOperationException)
            {
                // It has ended: told by its name's absence.
            }
        }

        using Process own = Process.GetCurrentProcess();
        held[Client] = own.WorkingSet64;
        return held;
    }

    /// <summary>What each shard holds now.</summary>
    /// <param name="before">What they held at the start; null: this is the start.</param>
    /// <param name="cancellationToken">Ends the asking.</param>
    public async Task<IReadOnlyList<ShardRoom>> RoomAsync(IReadOnlyList<ShardRoom>? before, CancellationToken cancellationToken) =>
        await Task.WhenAll(network.Shards.Select(shard => RoomAsync(shard, before?.Single(room => room.Name == shard).KvUsedBytes, cancellationToken))).ConfigureAwait(false);

    /// <summary>Waits until nothing is open on any shard, or they have had the time for it.</summary>
    /// <param name="before">What they held at the start.</param>
    /// <param name="patience">How long to wait.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    public async Task<IReadOnlyList<ShardRoom>> ReturnedAsync(IReadOnlyList<ShardRoom> before, TimeSpan patience, CancellationToken cancellationToken)
    {
        long start = clock.GetTimestamp();
        while (true)
        {
            IReadOnlyList<ShardRoom> rooms = await RoomAsync(before, cancellationToken).ConfigureAwait(false);
            if (rooms.All(room => room.IsReturned) || clock.GetElapsedTime(start) >= patience) return rooms;
            await Task.Delay(s_between, clock, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<ShardRoom> RoomAsync(string shard, long? before, CancellationToken cancellationToken)
    {
        try
        {
            JsonElement status = await network.StatusAsync(shard, cancellationToken).ConfigureAwait(false);
            long used = status.GetProperty("kvUsedBytes").GetInt64();
            return new ShardRoom(shard, Answers: true, status.GetProperty("sessions").GetInt32(), before ?? used, used, status.GetProperty("kvCachedBytes").GetInt64());
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            return new ShardRoom(shard, Answers: false, 0, before ?? 0, 0, 0);
        }
    }
}
