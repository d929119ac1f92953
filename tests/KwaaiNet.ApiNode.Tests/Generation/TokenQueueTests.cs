using KwaaiNet.ApiNode.Generation;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ApiNode.Tests.Generation;

/// <summary>What a session's reader is promised of the tokens that arrive for it.</summary>
public sealed class TokenQueueTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(10);
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task Tokens_come_in_order_and_those_before_the_end_are_still_given()
    {
        using TokenQueue queue = new(8, _time, CancellationToken.None);
        ValueTask<bool> waiting = queue.WaitAsync(s_patience);
        Assert.True(queue.TryAdd(Token(1)));
        Assert.True(await waiting);
        Assert.True(queue.TryAdd(Token(2)));
        queue.Complete();
        Assert.False(queue.TryAdd(Token(3)));
        Assert.True(await queue.WaitAsync(s_patience));
        Assert.Equal([1u, 2u], Drain(queue));
        Assert.False(await queue.WaitAsync(s_patience));
    }

    [Fact]
    public void A_queue_that_is_full_takes_nothing_more()
    {
        using TokenQueue queue = new(2, _time, CancellationToken.None);
        Assert.Equal([true, true, false], [.. Enumerable.Range(0, 3).Select(i => queue.TryAdd(Token((uint)i)))]);
    }

    [Fact]
    public async Task A_wait_ends_after_its_own_time_whatever_the_one_before_was_given()
    {
        using TokenQueue queue = new(8, _time, CancellationToken.None);
        foreach (TimeSpan patience in new[] { s_patience, s_patience * 3, s_patience / 2, s_patience })
        {
            ValueTask<bool> answered = queue.WaitAsync(patience);
            _time.Advance(patience / 3);
            Assert.False(answered.IsCompleted);
            queue.TryAdd(Token(0));
            Assert.True(await answered);
            Assert.Single(Drain(queue));

            Task<bool> waiting = queue.WaitAsync(patience).AsTask();
            _time.Advance(patience - TimeSpan.FromMilliseconds(1));
            Assert.False(waiting.IsCompleted);
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Assert.ThrowsAsync<TimeoutException>(() => waiting);
        }
    }

    [Fact]
    public async Task Cancellation_ends_a_wait_and_every_one_after_it()
    {
        using CancellationTokenSource cancelled = new();
        using TokenQueue queue = new(8, _time, cancelled.Token);
        Task<bool> waiting = queue.WaitAsync(s_patience).AsTask();
        await cancelled.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => queue.WaitAsync(s_patience).AsTask());
    }

    [Fact]
    public void A_token_allocates_nothing_once_warm_and_its_reader_goes_on_with_it()
    {
        using TokenQueue queue = new(8, TimeProvider.System, CancellationToken.None);
        uint read = 0;
        Task reading = ReadAsync();
        for (uint i = 0; i < 1_000; i++) queue.TryAdd(Token(i));
        long before = GC.GetAllocatedBytesForCurrentThread();
        for (uint i = 0; i < 1_000; i++) queue.TryAdd(Token(i));
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.Equal((0L, 2_000u, false), (allocated, read, reading.IsCompleted));

        async Task ReadAsync()
        {
            while (await queue.WaitAsync(TimeSpan.FromMinutes(10)).ConfigureAwait(false))
            {
                while (queue.TryTake(out _)) read++;
            }
        }
    }

    private static ArrivedToken Token(uint id) => new(id, id, Last: false, Logprobs: null);

    private static List<uint> Drain(TokenQueue queue)
    {
        List<uint> tokens = [];
        while (queue.TryTake(out ArrivedToken token)) tokens.Add(token.Token);
        return tokens;
    }
}
