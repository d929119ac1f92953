using System.Net;
using System.Net.Http.Json;
using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace KwaaiNet.Network.Tests.Harness;

/// <summary>Chat completions as an app makes them.</summary>
internal static class ChatCall
{
    private static readonly TimeSpan s_timeout = TimeSpan.FromMinutes(1);

    public static object Body(string model, string prompt, int maxTokens, bool stream = false) => new
    {
        model,
        stream,
        temperature = 0,
        max_tokens = maxTokens,
        messages = new[] { new { role = "user", content = prompt } },
    };

    /// <summary>Posts a request without a stream.</summary>
    public static async Task<(HttpStatusCode Status, JsonElement Json)> PostAsync(this TestNetwork network, object body)
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        using HttpResponseMessage response = await network.Http.PostAsJsonAsync(network.Url + "/v1/chat/completions", body, cancellationToken).WaitAsync(s_timeout, cancellationToken);
        return (response.StatusCode, await response.Content.ReadFromJsonAsync<JsonElement>(cancellationToken));
    }

    /// <summary>The whole answer, greedily.</summary>
    public static async Task<string> AnswerAsync(this TestNetwork network, string prompt, int maxTokens)
    {
        (HttpStatusCode status, JsonElement json) = await network.PostAsync(Body(network.Model, prompt, maxTokens));
        Assert.True(status == HttpStatusCode.OK, json.ToString());
        return json.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString()!;
    }

    /// <summary>Starts a streamed answer; the caller reads events and disposes.</summary>
    public static async Task<EventStream> StreamAsync(this TestNetwork network, string prompt, int maxTokens)
    {
        CancellationToken cancellationToken = TestContext.Current.CancellationToken;
        HttpRequestMessage request = new(HttpMethod.Post, network.Url + "/v1/chat/completions") { Content = JsonContent.Create(Body(network.Model, prompt, maxTokens, stream: true)) };
        HttpResponseMessage response = await network.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).WaitAsync(s_timeout, cancellationToken);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        return new EventStream(response, await response.Content.ReadAsStreamAsync(cancellationToken));
    }

    /// <summary>The events of a streamed answer, one after the other.</summary>
    internal sealed class EventStream(HttpResponseMessage response, Stream stream) : IAsyncDisposable
    {
        private readonly IAsyncEnumerator<SseItem<string>> _events = SseParser.Create(stream).EnumerateAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator();

        /// <summary>The next event's data; null at the end.</summary>
        public async Task<string?> NextAsync() => await _events.MoveNextAsync().AsTask().WaitAsync(s_timeout) ? _events.Current.Data : null;

        /// <summary>Reads until text has come.</summary>
        public async Task<string> FirstTextAsync()
        {
            while (await NextAsync() is { } data)
            {
                if (Text(data) is { Length: > 0 } text)
                {
                    return text;
                }
            }

            throw new InvalidOperationException("The stream ended before it had begun.");
        }

        /// <summary>Reads to the end: the text, and the error object if there was one.</summary>
        public async Task<(string Text, JsonElement? Error, bool Done)> RestAsync()
        {
            StringBuilder text = new();
            JsonElement? error = null;
            bool done = false;
            while (await NextAsync() is { } data)
            {
                if (data == "[DONE]")
                {
                    done = true;
                    continue;
                }

                JsonElement json = JsonDocument.Parse(data).RootElement;
                if (json.TryGetProperty("error", out JsonElement found))
                {
                    error = found;
                }

                text.Append(Text(data));
            }

            return (text.ToString(), error, done);
        }

        public async ValueTask DisposeAsync()
        {
            // The response first: that closes the connection, as an app that goes away does.
            response.Dispose();
            try
            {
                await _events.DisposeAsync();
            }
            catch (IOException)
            {
                // Read from a connection that was just closed.
            }
        }

        private static string? Text(string data)
        {
            if (data == "[DONE]")
            {
                return null;
            }

            JsonElement json = JsonDocument.Parse(data).RootElement;
            return json.TryGetProperty("choices", out JsonElement choices) && choices.GetArrayLength() > 0
                && choices[0].GetProperty("delta").TryGetProperty("content", out JsonElement content) ? content.GetString() : null;
        }
    }
}
