using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Announcing;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Serving;
using KwaaiNet.ShardNode.Telemetry;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Hosting;

/// <summary><c>GET /status</c>: what this shard serves and how busy it is.</summary>
internal static class ShardStatusEndpoint
{
    /// <summary>The path.</summary>
    public const string Path = "/status";

    /// <summary>Maps the endpoint.</summary>
    public static void Map(WebApplication app) => app.MapGet(Path, Get);

    private static Ok<ShardStatus> Get(ShardServing serving, PullProgress pull, ShardAnnouncer announcer, NodeIdentity identity, IOptions<NodeOptions> node)
    {
        HeldBlocks held = serving.Held;
        OpenedModel? model = serving.Model;
        LoopGauges? gauges = held.Loop?.Gauges;
        string name = held.State == ServingState.Unspecified ? "starting" : held.State.ToString().ToLowerInvariant();
        return TypedResults.Ok(new ShardStatus(
            identity.NodeId,
            node.Value.Name,
            name,
            model?.Model,
            model?.WeightsHash,
            held.Range?.ToString(),
            model?.Shape.BlockCount,
            model?.Backend,
            model?.Device,
            gauges?.Sessions ?? 0,
            gauges?.WaitingSteps ?? 0,
            gauges?.KvUsedBytes ?? 0,
            gauges?.KvFreeBytes ?? 0,
            gauges?.KvCachedBytes ?? 0,
            gauges?.Rows ?? 0,
            held.Loop?.KvTotalBytes ?? 0,
            held.Loop?.KvBytesPerBlockPosition ?? 0,
            announcer.StartedUnixMs,
            held.Loop?.WeightBytes ?? 0,
            gauges?.PrefillTokensPerSecond ?? 0,
            gauges?.DecodeTokensPerSecond ?? 0,
            Environment.WorkingSet,
            pull.Text,
            Environment.ProcessId));
    }
}
