using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>Asks as an app would, over a connection of its own, and notes when what came. It looks into as little as it can: on a small machine its time is the network's.</summary>
internal sealed class BenchClient : IDisposable
{
    private static readonly JsonSerializerOptions s_request = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    private readonly HttpClient _http;
    private readonly string _model;
    private readonly Dictionary<string, int> _bias;

    /// <param name="url">The API node.</param>
    /// <param name="model">The model's name.</param>
    /// <param name="endTokens">Forbidden, so that an answer has the length asked for, unless a question lets it end.</param>
    public BenchClient(string url, string model, IEnumerable<int> endTokens)
    {
        // Who goes away closes the connection at once: the rest of an answer is not read.
        SocketsHttpHandler handler = new() { UseProxy = false, MaxResponseDrainSize = 0 };
        _http = new HttpClient(handler) { BaseAddress = new Uri(url), Timeout = Timeout.InfiniteTimeSpan };
        _model = model;
        _bias = endTokens.ToDictionary(id => id.ToString(CultureInfo.InvariantCulture), _ => -100);
    }

    /// <summary>The API key; null: none. Those with different keys share nothing that was computed.</summary>
    public string? Key
    {
        set => _http.DefaultRequestHeaders.Authorization = value is null ? null : new AuthenticationHeaderValue("Bearer", value);
    }

    /// <summary>Whether answers' text is kept; it costs the client time.</summary>
    public bool KeepsText { get; init; }

    /// <summary>One question and its answer. Errors of the API and of the connection are the answer's <see cref="BenchAnswer.Problem"/>.</summary>
    /// <param name="question">What is asked.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <param name="goesOn">Shown the answer at every piece of text; where it returns false the reader goes away.</param>
    /// <exception cref="OperationCanceledException">It was ended.</exception>
    public async Task<BenchAnswer> AskAsync(BenchQuestion question, CancellationToken cancellationToken, Func<BenchAnswer, bool>? goesOn = null)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = JsonContent.Create(
                new
                {
                    model = _model,
                    messages = question.Messages,
                    stream = true,
                    stream_options = new { include_usage = true },
                    temperature = 0,
                    max_tokens = question.Tokens,
                    logit_bias = question.EndsByItself ? null : _bias,
                },
                options: s_request),
        };
        BenchAnswer answer = new() { Started = Stopwatch.GetTimestamp(), Text = KeepsText ? new StringBuilder() : null };
        try
        {
            using HttpResponseMessage response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
            answer.Status = (int)response.StatusCode;
            if (response.IsSuccessStatusCode) await ReadAsync(response, answer, goesOn, cancellationToken).ConfigureAwait(false);
            else answer.Problem = await response.Content.ReadAsStringAsync(cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is HttpRequestException or IOException)
        {
            answer.Problem = exception.Message;
        }

        return answer;
    }

    public void Dispose() => _http.Dispose();

    private async Task ReadAsync(HttpResponseMessage response, BenchAnswer answer, Func<BenchAnswer, bool>? goesOn, CancellationToken cancellationToken)
    {
        bool isWhole = false;
        await using Stream stream = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await foreach (SseItem<Piece> item in SseParser.Create(stream, Read).EnumerateAsync(cancellationToken).ConfigureAwait(false))
        {
            switch (item.Data.Kind)
            {
                case PieceKind.Role:
                    answer.Began = Stopwatch.GetTimestamp();
                    break;
                case PieceKind.Text:
                    answer.Arrivals.Add(Stopwatch.GetTimestamp());
                    answer.Text?.Append(item.Data.Text);
                    if (goesOn?.Invoke(answer) == false)
                    {
                        answer.IsLeft = true;
                        return;
                    }

                    break;
                case PieceKind.Usage:
                    (answer.PromptTokens, answer.CachedTokens, answer.Tokens) = (item.Data.PromptTokens, item.Data.CachedTokens, item.Data.Tokens);
                    break;
                case PieceKind.Error:
                    answer.Problem = item.Data.Text;
                    return;
                case PieceKind.Done:
                    isWhole = true;
                    break;
                default:
                    break;
            }
        }

        if (!isWhole) answer.Problem = "The stream ended without [DONE].";
    }

    // {"id":…,"choices":[{"index":0,"delta":{"content":"Hel"},…}]}   …,"choices":[],"usage":{"prompt_tokens":…}}   {"error":{…}}   [DONE]
    private Piece Read(string type, ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual("[DONE]"u8)) return new Piece(PieceKind.Done);
        if (data.StartsWith("{\"error\""u8)) return new Piece(PieceKind.Error, Text: Encoding.UTF8.GetString(data));
        int usage = data.IndexOf("\"usage\":{"u8);
        if (usage >= 0)
        {
            JsonElement counted = Parse(data).GetProperty("usage");
            return new Piece(
                PieceKind.Usage,
                counted.GetProperty("prompt_tokens").GetInt32(),
                counted.GetProperty("completion_tokens").GetInt32(),
                counted.TryGetProperty("prompt_tokens_details", out JsonElement details) && details.ValueKind == JsonValueKind.Object ? details.GetProperty("cached_tokens").GetInt32() : 0);
        }

        int content = data.IndexOf("\"content\":\""u8);
        if (content < 0 || data[content + "\"content\":\"".Length] == '"') return data.IndexOf("\"role\":"u8) >= 0 ? new Piece(PieceKind.Role) : default;
        return new Piece(PieceKind.Text, Text: KeepsText ? Parse(data).GetProperty("choices")[0].GetProperty("delta").GetProperty("content").GetString() : null);
    }

    private static JsonElement Parse(ReadOnlySpan<byte> data)
    {
        Utf8JsonReader reader = new(data);
        return JsonElement.ParseValue(ref reader);
    }

    private enum PieceKind
    {
        Other,
        Role,
        Text,
        Usage,
        Error,
        Done,
    }

    private readonly record struct Piece(PieceKind Kind, int PromptTokens = 0, int Tokens = 0, int CachedTokens = 0, string? Text = null);
}
