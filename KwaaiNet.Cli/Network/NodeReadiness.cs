using System.Net.Http.Json;
using System.Text.Json;
using KwaaiNet.Cli.Http;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Network;

/// <summary>Waits until started nodes can be used, or one of them ends.</summary>
internal sealed class NodeReadiness : IDisposable
{
    private static readonly TimeSpan s_period = TimeSpan.FromMilliseconds(100);

    // Every node is ready by then, so that no more than discovery's news is waited for.
    private static readonly TimeSpan s_coverLimit = TimeSpan.FromSeconds(60);

    private readonly HttpClient _http = DirectHttp.ForNodes(TimeSpan.FromSeconds(5));
    private readonly TimeProvider _clock;

    public NodeReadiness(TimeProvider clock) => _clock = clock;

    /// <summary>Waits until the node has bound its ports.</summary>
    /// <exception cref="CommandFailure">The node ended first.</exception>
    public Task<NodeFile> WaitBoundAsync(NodeProcess node, CancellationToken cancellationToken) =>
        PollAsync(node, _ => Task.FromResult(node.ReadNodeFile()), cancellationToken);

    /// <summary>Waits until the node's health checks pass; of an API node, until it hears of the others, since which blocks are served is <see cref="WaitServedAsync"/>'s question.</summary>
    /// <exception cref="CommandFailure">The node ended first.</exception>
    public async Task<NodeFile> WaitHealthyAsync(NodeProcess node, CancellationToken cancellationToken)
    {
        NodeFile file = await WaitBoundAsync(node, cancellationToken).ConfigureAwait(false);
        return await PollAsync(
            node,
            async token =>
            {
                using HttpResponseMessage response = await _http.GetAsync(file.Http + "/health", token).ConfigureAwait(false);
                return response.IsSuccessStatusCode || await HearsOfOthersAsync(response, token).ConfigureAwait(false) ? file : null;
            },
            cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Waits until the API node lists a model: a chain of shards covers all of its blocks.</summary>
    /// <returns>The hash of the model's weights.</returns>
    /// <param name="api">The API node.</param>
    /// <param name="url">Where it answers.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="missing">Told what is missing, such as <c>BlocksMissing: blocks 3-5</c>, whenever that changes.</param>
    /// <param name="cancellationToken">Ends the waiting.</param>
    /// <exception cref="CommandFailure">The API node ended first, or blocks stay missing though every node is ready.</exception>
    public async Task<string> WaitServedAsync(NodeProcess api, string url, string model, Action<string> missing, CancellationToken cancellationToken)
    {
        string? told = null;
        long started = _clock.GetTimestamp();
        return await PollAsync(
            api,
            async token =>
            {
                JsonElement list = await _http.GetFromJsonAsync<JsonElement>(url + "/v1/models", token).ConfigureAwait(false);
                if (Find(list.GetProperty("data"), model) is { } entry)
                {
                    return entry.GetProperty("kwaainet").GetProperty("weights_hash").GetString();
                }

                using HttpResponseMessage health = await _http.GetAsync(url + "/health", token).ConfigureAwait(false);
                JsonElement reply = await health.Content.ReadFromJsonAsync<JsonElement>(token).ConfigureAwait(false);
                if (Find(reply.GetProperty("models"), model)?.GetProperty("reason").GetString() is { } reason && reason != told)
                {
                    missing(told = reason);
                }

                return _clock.GetElapsedTime(started) < s_coverLimit
                    ? null
                    : throw new CommandFailure($"No chain of shards covers {model} though every node is ready: {told ?? "the API node does not say why"}.", $"read the API node's log, {api.LogPath}.");
            },
            cancellationToken).ConfigureAwait(false);
    }

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

    private static JsonElement? Find(JsonElement models, string id)
    {
        foreach (JsonElement model in models.EnumerateArray())
        {
            if (model.GetProperty("id").GetString() == id)
            {
                return model;
            }
        }

        return null;
    }

    // An API node that waits for blocks says so in JSON; a shard's reason is plain text.
    private static async Task<bool> HearsOfOthersAsync(HttpResponseMessage health, CancellationToken cancellationToken) =>
        health.Content.Headers.ContentType?.MediaType == "application/json"
        && (await health.Content.ReadFromJsonAsync<JsonElement>(cancellationToken).ConfigureAwait(false)).TryGetProperty("discovery", out JsonElement discovery)
        && discovery.ValueKind == JsonValueKind.True;

    private static bool IsNotYet(Exception exception, CancellationToken cancellationToken) =>
        exception is HttpRequestException or JsonException or KeyNotFoundException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);

    private static CommandFailure Ended(NodeProcess node, int exitCode) => new(
        $"{node.Name} stopped while it was starting (exit code {exitCode}): {node.LastError ?? "it said nothing."}",
        $"read its log, {node.LogPath}, put right what it names, and start again.");
}
