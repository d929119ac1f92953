using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json;

namespace KwaaiNet.AppHost.Tests.Harness;

/// <summary>A streamed answer as an app reads it.</summary>
internal sealed class AnswerStream(HttpResponseMessage response, Stream stream) : IAsyncDisposable
{
    private readonly IAsyncEnumerator<SseItem<string>> _events = SseParser.Create(stream).EnumerateAsync(TestContext.Current.CancellationToken).GetAsyncEnumerator();
    private readonly StringBuilder _text = new();

    /// <summary>Reads until text has come.</summary>
    public async Task BeginAsync()
    {
        while (_text.Length == 0) Assert.True(await NextAsync(), "The stream ended before it had begun.");
    }

    /// <summary>Reads to the end.</summary>
    /// <returns>The whole text, and why it ended.</returns>
    public async Task<(string Text, string? FinishReason)> EndAsync()
    {
        while (await NextAsync())
        {
        }

        return (_text.ToString(), FinishReason);
    }

    private string? FinishReason { get; set; }

    public async ValueTask DisposeAsync()
    {
        response.Dispose();
        await _events.DisposeAsync();
    }

    private async Task<bool> NextAsync()
    {
        if (!await _events.MoveNextAsync().AsTask().WaitAsync(Eventually.Limit) || _events.Current.Data == "[DONE]") return false;

        using JsonDocument document = JsonDocument.Parse(_events.Current.Data);
        JsonElement json = document.RootElement;
        Assert.False(json.TryGetProperty("error", out JsonElement error), $"The stream carries an error after {_text.Length} characters: {error}");
        if (!json.TryGetProperty("choices", out JsonElement choices) || choices.GetArrayLength() == 0) return true;

        if (choices[0].GetProperty("delta").TryGetProperty("content", out JsonElement content)) _text.Append(content.GetString());
        if (choices[0].TryGetProperty("finish_reason", out JsonElement reason) && reason.ValueKind == JsonValueKind.String) FinishReason = reason.GetString();
        return true;
    }
}
