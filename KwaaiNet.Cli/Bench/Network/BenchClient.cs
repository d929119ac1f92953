using System.Diagnostics;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text.Json;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>Asks as an app would, over a connection of its own, and notes when what came. It looks into as little as it can: on a small machine its time is the network's.</summary>
internal sealed class BenchClient : IDisposable
{
    private readonly HttpClient _http;
    private readonly string _model;
    private readonly Dictionary<string, int> _bias;

    /// <param name="url">The API node.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="endTokens">Forbidden, so that every answer has the length asked for.</param>
    public BenchClient(string url, string model, IEnumerable<int> endTokens)
    {
        _http = new HttpClient(new SocketsHttpHandler { UseProxy = false }) { BaseAddress = new Uri(url), Timeout = Timeout.InfiniteTimeSpan };
        _model = model;
        _bias = endTokens.ToDictionary(id => id.ToString(System.Globalization.CultureInfo.InvariantCulture), _ => -100);
    }

    /// <summary>One question and its answer.</summary>
    /// <param name="prefix">A system message; empty: none.</param>
    /// <param name="question">The user's message.</param>
    /// <param name="tokens">The answer's length.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="CommandFailure">The API answered with an error, at once or in the middle.</exception>
    public async Task<BenchAnswer> AskAsync(string prefix, string question, int tokens, CancellationToken cancellationToken)
    {
        List<object> messages = [];
        if (prefix.Length > 0) messages.Add(new { role = "system", content = prefix });
        messages.Add(new { role = "user", content = question });
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(new
            {
                model = _model,
                messages,
                stream = true,
                stream_options = new { include_usage = true },
                temperature = 0,
                max_tokens = tokens,
                logit_bias = _bias,
            }),
        };
        BenchAnswer answer = new() { Started = Stopwatch.GetTimestamp() };
        using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (!response.IsSuccessStatusCode)
        {
            string body = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
            throw new CommandFailure($"The API answered {(int)response.StatusCode}: {body}", "take a shorter --prompt or --generate, or fewer --users.");
        }

        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await foreach (SseItem<Piece> item in SseParser.Create(stream, Read).EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            switch (item.Data.Kind)
            {
                case PieceKind.Text:
                    answer.Arrivals.Add(Stopwatch.GetTimestamp());
                    break;
                case PieceKind.Usage:
                    (answer.PromptTokens, answer.Tokens) = (item.Data.PromptTokens, item.Data.Tokens);
                    break;
                case PieceKind.Error:
                    throw new CommandFailure($"An answer broke off: {item.Data.Text}", "look into the nodes' logs.");
                default:
                    break;
            }
        }

        return answer.Arrivals.Count > 1 && answer.Tokens > 1
            ? answer
            : throw new CommandFailure("An answer had no text to time.", "take a larger --generate.");
    }

    public void Dispose() => _http.Dispose();

    // {"id":…,"choices":[{"index":0,"delta":{"content":"Hel"},…}]}   …,"choices":[],"usage":{"prompt_tokens":…}}   {"error":{…}}   [DONE]
    private static Piece Read(string type, ReadOnlySpan<byte> data)
    {
        if (data.StartsWith("{\"error\""u8)) return new Piece(PieceKind.Error, Text: System.Text.Encoding.UTF8.GetString(data));
        int usage = data.IndexOf("\"usage\":{"u8);
        if (usage >= 0)
        {
            Utf8JsonReader reader = new(data);
            JsonElement counted = JsonElement.ParseValue(ref reader).GetProperty("usage");
            return new Piece(PieceKind.Usage, counted.GetProperty("prompt_tokens").GetInt32(), counted.GetProperty("completion_tokens").GetInt32());
        }

        int content = data.IndexOf("\"content\":\""u8);
        return new Piece(content >= 0 && data[content + "\"content\":\"".Length] != '"' ? PieceKind.Text : PieceKind.Other);
    }

    private enum PieceKind
    {
        Other,
        Text,
        Usage,
        Error,
    }

    private readonly record struct Piece(PieceKind Kind, int PromptTokens = 0, int Tokens = 0, string? Text = null);
}
