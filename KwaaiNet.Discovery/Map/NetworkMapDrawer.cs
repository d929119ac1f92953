using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Discovery.Map;

/// <summary>Draws the map of a directory snapshot.</summary>
internal static class NetworkMapDrawer
{
    public static NetworkMap Draw(NodeDirectorySnapshot snapshot, DateTimeOffset now)
    {
        long at = now.ToUnixTimeMilliseconds();
        return new NetworkMap(
            snapshot.IsLive,
            at,
            [.. snapshot.Records.Values.Select(record => Node(record, at))],
            [.. snapshot.Records.Values
                .SelectMany(record => record.Record.Serving, (record, served) => (record.Record.Network, Served: served))
                .GroupBy(entry => (entry.Network, entry.Served.Model, entry.Served.WeightsHash, entry.Served.BlockCount))
                .OrderBy(group => group.Key.Network, StringComparer.Ordinal)
                .ThenBy(group => group.Key.Model, StringComparer.Ordinal)
                .ThenBy(group => group.Key.WeightsHash, StringComparer.Ordinal)
                .Select(group => Model(group.Key.Network, group.Key.Model, group.Key.WeightsHash, group.Key.BlockCount, group.Select(entry => entry.Served)))]);
    }

    private static MapModel Model(string network, string model, string weightsHash, uint blockCount, IEnumerable<ServedBlocks> served)
    {
        IEnumerable<BlockRange> ready = served.Where(range => range.State == ServingState.Ready)
            .Select(range => new BlockRange((int)range.FirstBlock, (int)range.EndBlock));
        MapRange[] coverage = [.. BlockCoverage.Count((int)blockCount, ready).Select(range => new MapRange(range.Blocks.First, range.Blocks.End, range.Nodes))];
        MapRange[] gaps = [.. coverage.Where(range => range.Nodes == 0)];
        return new MapModel(network, model, weightsHash, blockCount, gaps.Length == 0, coverage.Min(range => range.Nodes), coverage, gaps);
    }

    private static MapNode Node(SignedNodeRecord signed, long at)
    {
        NodeRecord record = signed.Record;
        return new MapNode(
            record.NodeId,
            record.Network,
            record.Role switch { NodeRole.Shard => "shard", NodeRole.Api => "api", _ => "unknown" },
            record.Region,
            [.. record.Endpoints],
            record.HttpEndpoint.Length == 0 ? null : record.HttpEndpoint,
            record.Software,
            record.MemoryBytes,
            record.StartedUnixMs,
            Math.Max(0, at - record.IssuedUnixMs),
            record.TtlMs,
            [.. record.Serving.Select(Serving)]);
    }

    private static MapServing Serving(ServedBlocks served) => new(
        served.Model,
        served.WeightsHash,
        served.FirstBlock,
        served.EndBlock,
        served.BlockCount,
        served.State switch
        {
            ServingState.Joining => "joining",
            ServingState.Ready => "ready",
            ServingState.Draining => "draining",
            _ => "unknown",
        },
        served.WeightFormat,
        served.Backend,
        served.Device,
        served.ContextLength,
        served.PrefillTokensPerSecond,
        served.DecodeTokensPerSecond,
        served.KvFreeBytes,
        served.KvTotalBytes,
        served.KvBytesPerBlockPosition,
        served.WeightBytes,
        served.Queue,
        served.Sessions);
}
