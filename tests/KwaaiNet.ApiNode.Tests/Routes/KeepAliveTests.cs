using System.Runtime.CompilerServices;
using System.Text;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Tests.Fakes;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ApiNode.Tests.Routes;

/// <summary>What a client hears while there is no token: nothing for half of <c>Api:KeepAliveSeconds</c>, then headers and comments.</summary>
public sealed class KeepAliveTests
{
    private const string Request = """{"model":"demo","stream":true,"messages":[{"role":"user","content":"Hi"}]}""";
    private const string Comment = ": keep-alive\n\n";
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Headers_and_a_comment_go_out_after_half_the_interval_and_a_comment_every_interval_after_that()
    {
        FakeTimeProvider time = new();
        using SlowChat chat = new();
        await using ApiHost host = await ApiHost.StartAsync(chat: chat, time: time);
        Task<HttpResponseMessage> asked = host.PostAsync(Request);
        await chat.Asked.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        using HttpResponseMessage response = await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), asked);
        Assert.Equal("text/event-stream", response.Content.Headers.ContentType?.MediaType);
        Assert.True(time.GetUtcNow() - time.Start >= TimeSpan.FromSeconds(5));

        await using Stream body = await response.Content.ReadAsStreamAsync(TestContext.Current.CancellationToken);
        Assert.Equal(Comment, await ReadAsync(body));
        Assert.Equal(Comment, await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), ReadAsync(body)));

        chat.Answer.SetResult();
        using StreamReader rest = new(body);
        string text = await rest.ReadToEndAsync(TestContext.Current.CancellationToken);
        Assert.Contains("Hello", text, StringComparison.Ordinal);
        Assert.EndsWith("data: [DONE]\n\n", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_before_half_the_interval_has_a_status_of_its_own()
    {
        using SlowChat chat = new();
        await using ApiHost host = await ApiHost.StartAsync(chat: chat, time: new FakeTimeProvider());
        Task<HttpResponseMessage> asked = host.PostAsync(Request);
        await chat.Asked.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        chat.Answer.SetException(new InvalidChatRequestException("model", "No."));
        using HttpResponseMessage response = await asked.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        Assert.Equal(400, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_failure_after_it_is_an_event_behind_the_comments()
    {
        FakeTimeProvider time = new();
        using SlowChat chat = new();
        await using ApiHost host = await ApiHost.StartAsync(chat: chat, time: time);
        Task<HttpResponseMessage> asked = host.PostAsync(Request);
        await chat.Asked.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        using HttpResponseMessage response = await AdvanceUntilAsync(time, TimeSpan.FromSeconds(1), asked);
        chat.Answer.SetException(new InvalidChatRequestException("model", "No."));
        string text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Equal(200, (int)response.StatusCode);
        Assert.StartsWith(Comment, text, StringComparison.Ordinal);
        Assert.Contains("data: {\"error\":", text, StringComparison.Ordinal);
        Assert.DoesNotContain("[DONE]", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task No_comment_is_sent_where_the_setting_is_zero()
    {
        FakeTimeProvider time = new();
        using SlowChat chat = new();
        await using ApiHost host = await ApiHost.StartAsync(chat: chat, time: time, options: options => options.KeepAliveSeconds = 0);
        Task<HttpResponseMessage> asked = host.PostAsync(Request);
        await chat.Asked.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.False(asked.IsCompleted);
        chat.Answer.SetResult();
        using HttpResponseMessage response = await asked.WaitAsync(s_limit, TestContext.Current.CancellationToken);
        Assert.DoesNotContain(Comment, await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static async Task<string> ReadAsync(Stream body)
    {
        byte[] buffer = new byte[Comment.Length];
        await body.ReadExactlyAsync(buffer, TestContext.Current.CancellationToken);
        return Encoding.UTF8.GetString(buffer);
    }

    // The waiting side takes its timers when it gets to it: the clock goes on in steps until what is waited for has happened.
    private static async Task<T> AdvanceUntilAsync<T>(FakeTimeProvider time, TimeSpan step, Task<T> awaited)
    {
        using PeriodicTimer poll = new(TimeSpan.FromMilliseconds(20));
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        limit.CancelAfter(s_limit);
        while (!awaited.IsCompleted)
        {
            time.Advance(step);
            await poll.WaitForNextTickAsync(limit.Token);
        }

        return await awaited;
    }

    /// <summary>Answers when it is told to.</summary>
    private sealed class SlowChat : IChatClient
    {
        private readonly TaskCompletionSource _asked = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task Asked => _asked.Task;

        public TaskCompletionSource Answer { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        public Task<ChatResponse> GetResponseAsync(IEnumerable<ChatMessage> messages, ChatOptions? options = null, CancellationToken cancellationToken = default) =>
            GetStreamingResponseAsync(messages, options, cancellationToken).ToChatResponseAsync(cancellationToken);

        public async IAsyncEnumerable<ChatResponseUpdate> GetStreamingResponseAsync(
            IEnumerable<ChatMessage> messages, ChatOptions? options = null, [EnumeratorCancellation] CancellationToken cancellationToken = default)
        {
            _asked.SetResult();
            await Answer.Task.WaitAsync(cancellationToken);
            yield return new ChatResponseUpdate(ChatRole.Assistant, "Hello") { FinishReason = ChatFinishReason.Stop };
        }

        public object? GetService(Type serviceType, object? serviceKey = null) => null;

        public void Dispose()
        {
        }
    }
}
