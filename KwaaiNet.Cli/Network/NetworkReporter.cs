using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using KwaaiNet.Cli.State;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.Cli.Network;

/// <summary>Finds out how a running network is.</summary>
internal static class NetworkReporter
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(5);

    public static async Task<NetworkReport> LookAsync(KwaaiNetHome home, NetworkState state, CancellationToken cancellationToken)
    {
        DiscoveryMap? map = await AskDiscoveryAsync(home, cancellationToken).ConfigureAwait(false);
        DiscoveredModel? model = map?.Models.FirstOrDefault(candidate => candidate.Model == state.Model);
        return new NetworkReport(
            Running: true,
            state.Url,
            state.Model,
            DiscoveryAnswers: map is not null,
            Complete: model?.Complete == true,
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
            using HttpClient http = new() { Timeout = s_patience };
            return await http.GetFromJsonAsync<DiscoveryMap>(address + "/network", cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (IsSilence(exception, cancellationToken))
        {
            return null;
        }
    }

    private static bool IsSilence(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or JsonException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static NodeReport Describe(KwaaiNetHome home, NodeState node, DiscoveryMap? map)
    {
        NodeFile? file = NodeFile.TryRead(home.NodeFolder(node.Name));
        using Process? process = node.Process.Open();
        if (process is null)
        {
            return new NodeReport { Name = node.Name, State = "stopped", NodeId = file?.NodeId };
        }

        DiscoveredNode? known = map?.Nodes.FirstOrDefault(candidate => candidate.NodeId == file?.NodeId);
        DiscoveredServing? serving = known?.Serving.Count > 0 ? known.Serving[0] : null;
        return new NodeReport
        {
            Name = node.Name,
            State = serving?.State ?? "running",
            NodeId = file?.NodeId,
            Pid = process.Id,
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
