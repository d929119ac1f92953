using System.Net.Http.Json;
using System.Text.Json;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Network;

/// <summary>Waits until started nodes can be used, or one of them ends.</summary>
internal sealed class NodeReadiness : IDisposable
{
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(100);
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(5) };
    private readonly TimeProvider _clock;

    public NodeReadiness(TimeProvider clock) => _clock = clock;

    /// <summary>Waits until the node has bound its ports.</summary>
    /// <exception cref="CommandFailure">The node ended first.</exception>
    public Task<NodeFile> WaitBoundAsync(NodeProcess node, CancellationToken cancellationToken) =>
        PollAsync(node, _ => Task.FromResult(node.ReadNodeFile()), cancellationToken);

    /// <summary>Waits until the node's health checks pass.</summary>
    /// <exception cref="CommandFailure">The node ended first.</exception>
    public async Task<NodeFile> WaitHealthyAsync(NodeProcess node, CancellationToken cancellationToken)
    {
        NodeFile file = await WaitBoundAsync(node, cancellationToken).ConfigureAwait(false);
        return await PollAsync(
            node,
            async token =>
            {
                using HttpResponseMessage response = await _http.GetAsync(file.Http + "/health", token).ConfigureAwait(false);
                return response.IsSuccessStatusCode ? file : null;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until the API node lists a model: a chain of shards covers all of its blocks.</summary>
    /// <exception cref="CommandFailure">The API node ended first.</exception>
    public Task WaitServedAsync(NodeProcess api, string url, string model, CancellationToken cancellationToken) =>
        PollAsync(
            api,
            async token =>
            {
                JsonElement list = await _http.GetFromJsonAsync<JsonElement>(url + "/v1/models", token).ConfigureAwait(false);
                return list.GetProperty("data").EnumerateArray().Any(entry => entry.GetProperty("id").GetString() == model) ? model : null;
            },
            cancellationToken);

    public void Dispose() => _http.Dispose();

    private async Task<T> PollAsync<T>(NodeProcess node, Func<CancellationToken, Task<T?>> probe, CancellationToken cancellationToken)
        where T : class
    {
        using PeriodicTimer timer = new(s_period, _clock);
        do
        {
            if (node.Exit.IsCompleted)
            {
                throw Ended(node, await node.Exit.ConfigureAwait(false));
            }

            try
            {
                if (await probe(cancellationToken).ConfigureAwait(false) is { } result)
                {
                    return result;
                }
            }
            catch (Exception exception) when (IsNotYet(exception, cancellationToken))
            {
                // It does not answer yet.
            }
        }
        while (await timer.WaitForNextTickAsync(cancellationToken).ConfigureAwait(false));
        throw new OperationCanceledException(cancellationToken);
    }

    private static bool IsNotYet(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or JsonException or KeyNotFoundException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static CommandFailure Ended(NodeProcess node, int exitCode) => new(
        $"{node.Name} stopped while it was starting (exit code {exitCode}): {node.LastError ?? "it said nothing."}",
        $"read its log, {node.LogPath}, put right what it names, and start again.");
}
