using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Runtime.CompilerServices;
using System.Text.Json;
using KwaaiNet.Cli.Http;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Api;

/// <summary>The OpenAI API as an app sees it.</summary>
internal sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;

    /// <param name="url">The address, with or without <c>/v1</c>.</param>
    /// <param name="handler">Another transport, for tests.</param>
    public ApiClient(string url, HttpMessageHandler? handler = null)
    {
        string root = url.TrimEnd('/');
        Url = root.EndsWith("/v1", StringComparison.Ordinal) ? root[..^3] : root;
        // No time limit: an answer streams for as long as it takes.
        _http = new HttpClient(handler ?? DirectHttp.HandlerFor(new Uri(Url)))
        {
            BaseAddress = new Uri(Url + "/v1/"),
            Timeout = Timeout.InfiniteTimeSpan,
        };
    }

    public string Url { get; }

    /// <summary>The models that can be asked for.</summary>
    /// <exception cref="CommandFailure">Nobody answers, or with an error.</exception>
    public async Task<IReadOnlyList<ApiModel>> ListModelsAsync(CancellationToken cancellationToken)
    {
        using HttpResponseMessage response = await SendAsync(new HttpRequestMessage(HttpMethod.Get, "models"), cancellationToken).ConfigureAwait(false);
        ApiModelList? list = await response.Content.ReadFromJsonAsync<ApiModelList>(ApiJson.Options, cancellationToken).ConfigureAwait(false);
        return list?.Data ?? [];
    }

    /// <summary>Asks for an answer and yields its text as it comes.</summary>
    /// <exception cref="CommandFailure">Nobody answers, or with an error, also in the middle.</exception>
    public async IAsyncEnumerable<string> StreamAsync(
        string model, IReadOnlyList<ApiMessage> messages, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "chat/completions")
        {
            Content = JsonContent.Create(new { model, messages, stream = true }, options: ApiJson.Options),
        };
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        using HttpResponseMessage response = await SendAsync(request, cancellationToken).ConfigureAwait(false);
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await using IAsyncEnumerator<SseItem<string>> events = SseParser.Create(stream).EnumerateAsync(cancellationToken).GetAsyncEnumerator(cancellationToken);
        while (await NextAsync(events).ConfigureAwait(false))
        {
            // data: {"choices":[{"delta":{"content":"Hello"}}]}   …   data: {"error":{"message":"…"}}   …   data: [DONE]
            string data = events.Current.Data;
            if (data == "[DONE]")
            {
                yield break;
            }

            ApiChunk? chunk = JsonSerializer.Deserialize<ApiChunk>(data, ApiJson.Options);
            if (chunk?.Error is { } error)
            {
                throw Failed(error.Message);
            }

            if (chunk?.Choices is [{ Delta.Content: { Length: > 0 } content }, ..])
            {
                yield return content;
            }
        }
    }

    public void Dispose() => _http.Dispose();

    private static CommandFailure Failed(string message) =>
        new(message, $"'{CommandName.For("status")}' shows what is missing; '{CommandName.For("logs")}' shows why.");

    private async Task<bool> NextAsync(IAsyncEnumerator<SseItem<string>> events)
    {
        try
        {
            return await events.MoveNextAsync().ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw Failed($"The connection to {Url} broke in the middle of the answer.");
        }
    }

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        }
        catch (HttpRequestException)
        {
            throw new CommandFailure($"Nobody answers at {Url}.", $"start a network with '{CommandName.For("up")}', or name another address with --url.", ExitCode.NotRunning);
        }

        if (response.IsSuccessStatusCode)
        {
            return response;
        }

        using (response)
        {
            string body = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            throw Failed(ApiJson.ErrorMessage(body) ?? $"{Url} answered {(int)response.StatusCode} {response.ReasonPhrase}.");
        }
    }
}
