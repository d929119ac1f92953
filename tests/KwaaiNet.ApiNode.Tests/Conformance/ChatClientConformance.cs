using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Conformance;

/// <summary>What every way to the chat client must do alike; the headings are those of Microsoft.Extensions.AI's own integration tests.</summary>
public abstract class ChatClientConformance : IAsyncLifetime
{
    protected IChatClient Client { get; private set; } = null!;

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    /// <summary>A fresh client whose model answers "Hello from the chain." at temperature 0, and letters by seed otherwise.</summary>
    protected abstract Task<IChatClient> CreateAsync();

    /// <summary>What the answer says at temperature 0; null when it is not known, only that it is always the same.</summary>
    protected virtual string? GreedyAnswer => "Hello from the chain.";

    public async ValueTask InitializeAsync() => Client = await CreateAsync();

    public virtual ValueTask DisposeAsync()
    {
        Client.Dispose();
        GC.SuppressFinalize(this);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Single_message()
    {
        ChatResponse response = await Client.GetResponseAsync("Hi", Greedy(), Cancelled);
        Assert.NotEmpty(response.Text);
        if (GreedyAnswer is not null)
        {
            Assert.Equal(GreedyAnswer, response.Text);
        }

        Assert.Equal(ChatRole.Assistant, Assert.Single(response.Messages).Role);
        Assert.StartsWith("chatcmpl-", response.ResponseId, StringComparison.Ordinal);
        Assert.Equal("demo", response.ModelId);
        Assert.NotNull(response.CreatedAt);
    }

    [Fact]
    public async Task Multiple_messages()
    {
        ChatResponse response = await Client.GetResponseAsync(
            [
                new(ChatRole.System, "Be brief."), new(ChatRole.User, "Hi"), new(ChatRole.Assistant, "Hello"),
                new(ChatRole.User, [new TextContent("How "), new TextContent("are you?")]),
            ],
            Greedy(), Cancelled);
        Assert.NotEmpty(response.Text);
    }

    [Fact]
    public async Task Empty_message() => Assert.NotNull(await Client.GetResponseAsync([new(ChatRole.User, "")], Greedy(), Cancelled));

    [Fact]
    public async Task Streaming_gives_the_same_text_as_not_streaming()
    {
        ChatResponse whole = await Client.GetResponseAsync("Hi", Greedy(), Cancelled);
        List<ChatResponseUpdate> updates = await Client.GetStreamingResponseAsync("Hi", Greedy(), Cancelled).ToListAsync(Cancelled);
        Assert.Equal(whole.Text, string.Concat(updates.Select(update => update.Text)));
        Assert.Single(updates.Select(update => update.ResponseId).Distinct());
        Assert.Equal(whole.FinishReason, updates.ToChatResponse().FinishReason);
        Assert.True(updates.Count(update => update.Text.Length > 0) > 1, "the text came in one piece");
    }

    [Fact]
    public async Task Streaming_appends_to_history()
    {
        List<ChatMessage> history = [new(ChatRole.User, "Hi")];
        await history.AddMessagesAsync(Client.GetStreamingResponseAsync(history, Greedy(), Cancelled), cancellationToken: Cancelled);
        Assert.Equal(ChatRole.Assistant, Assert.Single(history.Skip(1)).Role);
        history.Add(new ChatMessage(ChatRole.User, "And?"));
        Assert.NotEmpty((await Client.GetResponseAsync(history, Greedy(), Cancelled)).Text);
    }

    [Fact]
    public async Task Usage_adds_up_and_is_the_same_in_a_stream()
    {
        UsageDetails? whole = (await Client.GetResponseAsync("Hi", Greedy(), Cancelled)).Usage;
        List<ChatResponseUpdate> updates = await Client.GetStreamingResponseAsync("Hi", Greedy(), Cancelled).ToListAsync(Cancelled);
        UsageDetails streamed = Assert.Single(updates.SelectMany(update => update.Contents).OfType<UsageContent>()).Details;
        Assert.True(whole?.InputTokenCount > 0 && whole.OutputTokenCount > 0);
        Assert.Equal(whole.InputTokenCount + whole.OutputTokenCount, whole.TotalTokenCount);
        Assert.Equal(
            (whole.InputTokenCount, whole.OutputTokenCount, whole.TotalTokenCount),
            (streamed.InputTokenCount, streamed.OutputTokenCount, streamed.TotalTokenCount));
    }

    [Fact]
    public async Task A_limit_ends_with_length()
    {
        ChatOptions options = Greedy();
        options.MaxOutputTokens = 3;
        ChatResponse response = await Client.GetResponseAsync("Hi", options, Cancelled);
        Assert.Equal((ChatFinishReason.Length, 3L), (response.FinishReason, response.Usage?.OutputTokenCount));
    }

    [Fact]
    public async Task A_stop_string_ends_with_stop_and_is_not_given()
    {
        string whole = (await Client.GetResponseAsync("Hi", Greedy(), Cancelled)).Text;
        string stop = whole.Substring(whole.Length / 3, Math.Min(3, whole.Length - (whole.Length / 3)));
        ChatOptions options = Greedy();
        options.StopSequences = [stop];
        ChatResponse response = await Client.GetResponseAsync("Hi", options, Cancelled);
        Assert.Equal(whole[..whole.IndexOf(stop, StringComparison.Ordinal)], response.Text);
        Assert.Equal(ChatFinishReason.Stop, response.FinishReason);
    }

    [Fact]
    public async Task A_seed_gives_the_same_answer_again_and_another_seed_another()
    {
        async Task<string> AskAsync(long seed) => (await Client.GetResponseAsync(
            "Hi", new ChatOptions { Seed = seed, Temperature = 1.5f, MaxOutputTokens = 16 }, Cancelled)).Text;

        string first = await AskAsync(1);
        Assert.Equal(first, await AskAsync(1));
        string[] others = await Task.WhenAll(Enumerable.Range(2, 5).Select(seed => AskAsync(seed)));
        Assert.Contains(others, other => other != first);
    }

    [Fact]
    public async Task Requests_run_side_by_side()
    {
        string alone = (await Client.GetResponseAsync("Hi", Greedy(), Cancelled)).Text;
        ChatResponse[] together = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Client.GetResponseAsync("Hi", Greedy(), Cancelled)));
        Assert.All(together, response => Assert.Equal(alone, response.Text));
        Assert.Equal(8, together.Select(response => response.ResponseId).Distinct().Count());
    }

    [Fact]
    public async Task A_cancelled_request_is_cancelled()
    {
        using CancellationTokenSource cancel = new();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Client.GetResponseAsync("Hi", Greedy(), cancel.Token));
    }

    [Fact]
    public async Task A_stream_left_early_does_no_harm_to_the_next()
    {
        await foreach (ChatResponseUpdate update in Client.GetStreamingResponseAsync("Hi", Greedy(), Cancelled))
        {
            if (update.Text.Length > 0)
            {
                break;
            }
        }

        Assert.NotEmpty((await Client.GetResponseAsync("Hi", Greedy(), Cancelled)).Text);
    }

    [Fact]
    public async Task Messages_are_required() =>
        await Assert.ThrowsAsync<ArgumentNullException>(() => Client.GetResponseAsync((IEnumerable<ChatMessage>)null!, cancellationToken: Cancelled));

    private static ChatOptions Greedy() => new() { Temperature = 0 };
}
