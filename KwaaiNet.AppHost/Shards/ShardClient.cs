using System.Net.Http.Json;
using System.Text.Json;

namespace KwaaiNet.AppHost.Shards;

/// <summary>Speaks to shards of this network over their HTTP ports.</summary>
internal sealed class ShardClient : IDisposable
{
    private const string DrainHeader = "X-KwaaiNet-Control";
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(2);

    // Never through a proxy: these are processes of this machine.
    private readonly HttpClient _http = new(new SocketsHttpHandler { UseProxy = false }) { Timeout = s_patience };

    /// <summary>The shard's report; null when it does not answer in time.</summary>
    public async Task<ShardReport?> AskAsync(EndpointReference endpoint, CancellationToken cancellationToken)
    {
        if (!endpoint.IsAllocated) return null;

        try
        {
            return await _http.GetFromJsonAsync<ShardReport>(new Uri(endpoint.Url + "/status"), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception failure) when (IsNoAnswer(failure, cancellationToken))
        {
            return null;
        }
    }

    /// <summary>Tells the shard to drain; null when it does not answer in time, or refuses.</summary>
    public async Task<DrainAnswer?> DrainAsync(EndpointReference endpoint, CancellationToken cancellationToken)
    {
        if (!endpoint.IsAllocated) return null;

        using HttpRequestMessage request = new(HttpMethod.Post, new Uri(endpoint.Url + "/drain"));
        request.Headers.Add(DrainHeader, "drain");
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, cancellationToken).ConfigureAwait(false);
            return response.IsSuccessStatusCode
                ? await response.Content.ReadFromJsonAsync<DrainAnswer>(cancellationToken).ConfigureAwait(false)
                : null;
        }
        catch (Exception failure) when (IsNoAnswer(failure, cancellationToken))
        {
            return null;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static bool IsNoAnswer(Exception failure, CancellationToken cancellationToken) =>
        failure is HttpRequestException or IOException or JsonException
        || (failure is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
