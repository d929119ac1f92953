using System.Threading.Channels;
using Google.Protobuf;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Routes;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.CandelEngine.Sampling;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Logging.Abstractions;

namespace KwaaiNet.ApiNode.Tests.Routes;

/// <summary>What a token costs the API node, from the thread that reads a shard's link on: all of it happens there.</summary>
/// <remarks>Only what that thread allocates is read, in rounds: one in which it did all the work itself and no list had to grow comes.</remarks>
public sealed class TokenStreamTests
{
    private const int Tokens = 100;
    private const int MaxRounds = 100;

    /// <summary>The update, its contents, text and the string in it, and what telemetry keeps to write the answer's trace: Microsoft.Extensions.AI's shape.</summary>
    private const int UpdateBytes = 448;

    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task A_token_of_a_chain_allocates_nothing_once_warm()
    {
        FeedingShard shard = new();
        await using ApiHost host = await StartAsync(shard);
        using ChainGeneration generation = new(
            new GenerationRequest
            {
                Model = FakeCatalog.Model(context: 1 << 16),
                Prompt = [1, 2, 3],
                Sampling = SamplingParameters.Greedy,
                MaxNewTokens = Tokens * (MaxRounds + 1),
                LimitIsRequested = true,
            },
            host.Get<ChainServices>(), NullLogger<ChainGeneration>.Instance);
        Progress read = default;
        Task reading = Task.Run(ReadAsync, TestContext.Current.CancellationToken);

        Assert.Equal(0, await LeastAsync(shard, () => read));
        Assert.False(reading.IsCompleted);
        generation.Dispose();
        await Assert.ThrowsAnyAsync<Exception>(() => reading.WaitAsync(s_limit, TestContext.Current.CancellationToken));

        async Task ReadAsync()
        {
            while (true)
            {
                await generation.NextAsync(CancellationToken.None).ConfigureAwait(false);
                read = read.On(Environment.CurrentManagedThreadId, 1);
            }
        }
    }

    [Fact]
    public async Task A_token_becomes_an_event_on_the_thread_that_brings_it_and_allocates_the_update_that_carries_it()
    {
        FeedingShard shard = new();
        await using ApiHost host = await StartAsync(shard);
        DiscardedBody body = new();
        DefaultHttpContext context = Context(host, body);
        using CancellationTokenSource gone = new();
        context.RequestAborted = gone.Token;
        ChatOptions options = new() { ModelId = "demo", Temperature = 0, MaxOutputTokens = Tokens * (MaxRounds + 1) };
        Task answering = Task.Run(
            () => ChatCompletionStream.WriteAsync(context, host.Chat, Request(options)), TestContext.Current.CancellationToken);

        Assert.InRange(await LeastAsync(shard, () => body.Flushed), 0, Tokens * UpdateBytes);
        Assert.False(answering.IsCompleted);
        await gone.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answering.WaitAsync(s_limit, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Tokens_that_are_there_go_out_together_and_none_waits_for_one_that_is_not()
    {
        Channel<string> texts = Channel.CreateUnbounded<string>();
        foreach (string text in new[] { "a", "b", "c" }) texts.Writer.TryWrite(text);
        using FakeChatClient chat = new() { Texts = texts.Reader };
        await using ApiHost host = await ApiHost.StartAsync(chat: chat);
        DiscardedBody body = new();
        Task answering = Task.Run(() => ChatCompletionStream.WriteAsync(Context(host, body), host.Chat, Request(new ChatOptions())), TestContext.Current.CancellationToken);

        // Who speaks, and three texts.
        while (body.Flushed.All < 4) await Task.Yield();
        Assert.Equal((4, 1), (body.Flushed.All, body.Flushes));
        texts.Writer.TryWrite("d");
        while (body.Flushed.All < 5) await Task.Yield();
        Assert.Equal((5, 2), (body.Flushed.All, body.Flushes));
        Assert.False(answering.IsCompleted);
        texts.Writer.Complete();
        await answering.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        // Why it ended, and [DONE].
        Assert.Equal((7, 3), (body.Flushed.All, body.Flushes));
    }

    private static ChatCompletionRequest Request(ChatOptions options) => new([new(ChatRole.User, "Hi")], options, Stream: true, IncludeUsage: false);

    private static DefaultHttpContext Context(ApiHost host, DiscardedBody body)
    {
        DefaultHttpContext context = new() { RequestServices = host.Get<IServiceProvider>() };
        context.Features.Set<IHttpResponseBodyFeature>(body);
        return context;
    }

    private static Task<ApiHost> StartAsync(FeedingShard shard) => ApiHost.StartAsync(dialer: shard, model: FakeCatalog.Model(context: 1 << 16));

    // Of rounds in which this thread did everything.
    private static async Task<long> LeastAsync(FeedingShard shard, Func<Progress> done)
    {
        Assert.True(shard.Prompted.TryTake(out (ByteString Session, uint Position) prompted, s_limit));
        long least = long.MaxValue;
        shard.Feed(prompted.Session, prompted.Position, 'a', last: false);
        while (done().All == 0) await Task.Yield();
        // Who speaks is an event of its own.
        int ahead = done().All - 1;
        for (int fed = 1; fed < MaxRounds * Tokens; fed += Tokens)
        {
            // Whoever is still at the last token would take the next ones too.
            while (done().All < fed + ahead) await Task.Yield();
            long allocated = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < Tokens; i++) shard.Feed(prompted.Session, prompted.Position + (uint)(fed + i), 'a' + (i % 26), last: false);
            allocated = GC.GetAllocatedBytesForCurrentThread() - allocated;
            int thread = Environment.CurrentManagedThreadId;
            Progress now = done();
            if (now.Thread == thread && now.ByThread >= Tokens && now.All == fed + ahead + Tokens) least = Math.Min(least, allocated);
        }

        return least;
    }
}
