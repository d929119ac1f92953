using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using KwaaiNet.Cli.Http;
using KwaaiNet.Cli.State;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.Cli.Network;

/// <summary>Finds out how a running network is.</summary>
internal static class NetworkReporter
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public static async Task<NetworkReport> LookAsync(KwaaiNetHome home, NetworkState state, CancellationToken cancellationToken) =>
        Report(home, state, await AskDiscoveryAsync(home, cancellationToken).ConfigureAwait(false));

    /// <summary>What is known from the state file, the system, and discovery's map; null: it does not answer.</summary>
    internal static NetworkReport Report(KwaaiNetHome home, NetworkState state, DiscoveryMap? map)
    {
        DiscoveredModel? model = map?.Models.FirstOrDefault(candidate => IsOurs(state, candidate));
        return new NetworkReport(
            Running: true,
            state.Url,
            state.Model,
            DiscoveryAnswers: map is not null,
            Complete: model?.Complete == true,
            Replicas: model?.Replicas ?? 0,
            [.. (model?.Coverage ?? []).Select(range => new CoverageReport(new BlockRange(range.FirstBlock, range.EndBlock).ToString(), range.Nodes))],
            [.. (model?.Gaps ?? []).Select(gap => new BlockRange(gap.FirstBlock, gap.EndBlock).ToString())],
            [.. state.Nodes.Select(node => Describe(home, node, map))]);
    }

    private static async Task<DiscoveryMap?> AskDiscoveryAsync(KwaaiNetHome home, CancellationToken cancellationToken)
    {
        if (NodeFile.TryRead(home.NodeFolder(NetworkPlan.DiscoveryName))?.Http is not { } address)
        {
            return null;
        }

        try
        {
            using HttpClient http = DirectHttp.ForNodes(s_patience);
            return await http.GetFromJsonAsync<DiscoveryMap>(address + "/network", cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsSilence(exception, cancellationToken))
        {
            return null;
        }
    }

    // What another file of that name holds, or another network, no chain of this one can use. The hash is known when the network is up.
    private static bool IsOurs(NetworkState state, DiscoveredModel model) =>
        model.Model == state.Model && model.WeightsHash == state.WeightsHash && (state.Network is null || model.Network == state.Network);

    private static bool IsSilence(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or JsonException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static NodeReport Describe(KwaaiNetHome home, NodeState node, DiscoveryMap? map)
    {
        NodeFile? file = NodeFile.TryRead(home.NodeFolder(node.Name));
        using Process? process = node.Process.Open();
        if (process is null)
        {
            return new NodeReport
            {
                Name = node.Name,
                State = node.WhyStopped is null && node.LastEnd is not null ? "restarting" : "stopped",
                NodeId = file?.NodeId,
                Restarts = node.Restarts,
                LastEnd = node.LastEnd,
                WhyStopped = node.WhyStopped,
            };
        }

        DiscoveredNode? known = map?.Nodes.FirstOrDefault(candidate => candidate.NodeId == file?.NodeId);
        DiscoveredServing? serving = known?.Serving.Count > 0 ? known.Serving[0] : null;
        return new NodeReport
        {
            Name = node.Name,
            State = serving?.State ?? "running",
            NodeId = file?.NodeId,
            Pid = process.Id,
            Restarts = node.Restarts,
            LastEnd = node.LastEnd,
            Address = file?.Grpc ?? file?.Http,
            MemoryBytes = process.WorkingSet64,
            Blocks = serving is null ? null : new BlockRange(serving.FirstBlock, serving.EndBlock).ToString(),
            Backend = serving?.Backend,
            Device = serving?.Device,
            DecodeTokensPerSecond = serving?.DecodeTokensPerSecond,
            PrefillTokensPerSecond = serving?.PrefillTokensPerSecond,
            Sessions = serving?.Sessions,
        };
    }
}
