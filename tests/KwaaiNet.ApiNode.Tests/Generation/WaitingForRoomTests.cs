using System.Collections.Concurrent;
using Google.Protobuf;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.ApiNode.Waiting;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ApiNode.Tests.Generation;

/// <summary>Requests that find every chain full: who waits for what, in which order, and for how long.</summary>
public sealed class WaitingForRoomTests
{
    private const int Budget = 10;

    // BOS, "user:Hi;" and the answer: what each request may reach.
    private const int Positions = 9 + 30;
    private static readonly ChatOptions s_greedy = new() { ModelId = "demo", Temperature = 0, MaxOutputTokens = 30 };

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_burst_of_fifty_on_a_budget_for_ten_ends_with_every_request_answered_and_none_twice()
    {
        FakeNetwork network = Of(Budget, "0-2", "3-5");
        SemaphoreSlim gate = new(0);
        network.BeforeToken = (_, index) => Pass(gate, index);
        await using ApiHost host = await ApiHost.StartAsync(network);
        RoomLine line = host.Get<RoomLine>();

        Task<ChatResponse>[] answers = [.. Enumerable.Range(0, 50).Select(_ => Task.Run(() => host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled)))];
        await UntilAsync(() => network.Shards["b"].Sessions.Count == Budget && line.Count == 40);
        gate.Release(50);

        foreach (Task<ChatResponse> answer in answers)
        {
            ChatResponse response = await answer;
            Assert.Equal(("Hello from the chain.", 22L), (response.Text, response.Usage?.OutputTokenCount));
        }

        // One prompt for every answer, and nobody stays.
        Assert.Equal(50, network.Shards["a"].Frames.Count);
        Assert.Equal(0, line.Count);
    }

    [Fact]
    public async Task Whoever_came_first_is_answered_first()
    {
        FakeNetwork network = Of(1, "0-5");
        SemaphoreSlim gate = new(0);
        network.BeforeToken = (_, index) => Pass(gate, index);
        await using ApiHost host = await ApiHost.StartAsync(network);
        RoomLine line = host.Get<RoomLine>();
        ConcurrentQueue<int> order = new();
        List<Task> answers = [];
        for (int i = 0; i < 5; i++)
        {
            int me = i;
            answers.Add(Task.Run(async () =>
            {
                await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
                order.Enqueue(me);
            }, Cancelled));
            await UntilAsync(() => network.Shards["a"].Sessions.Count == 1 && line.Count == me);
        }

        for (int i = 0; i < 5; i++)
        {
            gate.Release();
            await answers[i];
        }

        Assert.Equal([0, 1, 2, 3, 4], order);
    }

    [Theory]
    [InlineData(null, 7)]
    [InlineData(3_000u, 7)]
    [InlineData(20_000u, 20)]
    [InlineData(uint.MaxValue, 3_600)]
    public async Task A_request_without_room_waits_for_its_time_and_is_then_told_when_to_come_again(uint? shardSaysMs, int seconds)
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Shards["a"].RefuseOpen = FailureCode.KvExhausted;
        network.Shards["a"].RetryAfterMs = shardSaysMs;
        await using ApiHost host = await ApiHost.StartAsync(network, time: time, options: api => api.MaxWaitSeconds = 7);
        Task<ChatResponse> answer = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await UntilAsync(() => host.Get<RoomLine>().Count == 1);

        time.Advance(TimeSpan.FromSeconds(7));

        ChainUnavailableException exception = await Assert.ThrowsAsync<ChainUnavailableException>(() => answer);
        // Nobody has left the line in all these seconds: there is no reason to promise less, whatever a shard says.
        Assert.Equal((503, "kv_exhausted", seconds), (exception.Status, exception.Code, exception.RetryAfter!.Value.TotalSeconds));
    }

    [Fact]
    public async Task One_more_than_may_wait_is_429_and_the_others_go_on_waiting()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Shards["a"].RefuseOpen = FailureCode.KvExhausted;
        await using ApiHost host = await ApiHost.StartAsync(network, options: api => api.MaxWaiting = 1);
        Task<ChatResponse> first = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await UntilAsync(() => host.Get<RoomLine>().Count == 1);

        using HttpResponseMessage refused = await host.PostAsync("""{"model":"demo","messages":[{"role":"user","content":"Hi"}]}""");
        Assert.Equal(429, (int)refused.StatusCode);
        Assert.NotNull(refused.Headers.RetryAfter);
        Assert.Contains("too_many_waiting", await refused.Content.ReadAsStringAsync(Cancelled), StringComparison.Ordinal);

        network.Shards["a"].RefuseOpen = null;
        network.KvFreeBytes++;
        network.Announce();
        Assert.Equal("Hello from the chain.", (await first).Text);
    }

    [Fact]
    public async Task A_record_that_shows_no_more_free_than_before_makes_nobody_ask()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Shards["a"].RefuseOpen = FailureCode.KvExhausted;
        FakeTimeProvider time = new();
        await using ApiHost host = await ApiHost.StartAsync(network, time: time);
        Task<ChatResponse> answer = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await UntilAsync(() => host.Get<RoomLine>().Count == 1);
        network.KvFreeBytes /= 2;
        network.Announce();
        network.Announce();

        // Another node comes: that is room.
        network.Add("b", "0-5");
        network.Announce();
        Assert.Equal("Hello from the chain.", (await answer).Text);
        // Once before it waited, and perhaps once more when it was called.
        Assert.InRange(network.Shards["a"].Openings.Count, 1, 2);
    }

    [Fact]
    public async Task Room_that_nothing_tells_of_is_found_by_a_slow_look()
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Shards["a"].RefuseOpen = FailureCode.KvExhausted;
        await using ApiHost host = await ApiHost.StartAsync(network, time: time);
        Task<ChatResponse> answer = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await UntilAsync(() => host.Get<RoomLine>().Count == 1);
        network.Shards["a"].RefuseOpen = null;
        time.Advance(RoomLine.SlowLook);
        Assert.Equal("Hello from the chain.", (await answer).Text);
    }

    [Fact]
    public async Task Who_gives_up_waiting_leaves_the_line_to_the_next()
    {
        FakeNetwork network = Of(1, "0-5");
        SemaphoreSlim gate = new(0);
        network.BeforeToken = (_, index) => Pass(gate, index);
        await using ApiHost host = await ApiHost.StartAsync(network);
        RoomLine line = host.Get<RoomLine>();
        Task<ChatResponse> holder = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await UntilAsync(() => network.Shards["a"].Sessions.Count == 1);
        using CancellationTokenSource leaving = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        Task<ChatResponse> first = host.Chat.GetResponseAsync("Hi", s_greedy, leaving.Token);
        await UntilAsync(() => line.Count == 1);
        Task<ChatResponse> second = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        await UntilAsync(() => line.Count == 2);

        await leaving.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        gate.Release(2);

        Assert.Equal("Hello from the chain.", (await holder).Text);
        Assert.Equal("Hello from the chain.", (await second).Text);
    }

    [Fact]
    public async Task A_session_whose_room_is_taken_waits_before_all_others_and_its_reader_sees_no_seam()
    {
        FakeTimeProvider time = new();
        FakeNetwork network = FakeNetwork.Of("0-5");
        FakeShard shard = network.Shards["a"];
        int taken = 0;
        network.BeforeToken = (_, index) =>
        {
            if (index != 5 || Interlocked.Increment(ref taken) > 6)
            {
                return true;
            }

            // More often than chains are tried: nobody has failed.
            ByteString id = shard.Sessions.Keys.Single();
            shard.Sessions.TryRemove(id, out OpenSession? _);
            shard.Refuses = _ => FailureCode.KvExhausted;
            shard.Send(new ControlEvent { Failed = new SessionFailed { SessionId = id, Code = FailureCode.Preempted, Message = "older ones" } });
            return false;
        };
        await using ApiHost host = await ApiHost.StartAsync(network, time: time, options: api => api.MaxWaiting = 1);
        RoomLine line = host.Get<RoomLine>();
        Task<ChatResponse> answer = host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled);
        for (int i = 1; i <= 6; i++)
        {
            int times = i;
            await UntilAsync(() => Volatile.Read(ref taken) == times && line.Count == 1);
            shard.Refuses = _ => null;
            time.Advance(RoomLine.SlowLook);
        }

        ChatResponse response = await answer;
        Assert.Equal(("Hello from the chain.", 22L), (response.Text, response.Usage?.OutputTokenCount));
        // It keeps its place among the shard's sessions, and says how much it fills at once.
        Assert.Single(shard.Openings.Select(open => open.RequestedUnixMs).Distinct());
        Assert.Equal([9u, 14u], shard.Openings.Select(open => open.FirstPositions).Distinct());
    }

    [Fact]
    public async Task A_session_that_outgrows_the_shards_is_not_replayed_for_ever()
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        FakeShard shard = network.Shards["a"];
        network.BeforeToken = (_, index) =>
        {
            if (index == 5)
            {
                shard.Send(new ControlEvent { Failed = new SessionFailed { SessionId = shard.Sessions.Keys.Single(), Code = FailureCode.KvExhausted, Message = "alone, and too large" } });
            }

            return index < 5;
        };
        await using ApiHost host = await ApiHost.StartAsync(network);
        ChainLostException exception = await Assert.ThrowsAsync<ChainLostException>(() => host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled));
        Assert.Contains("after 5 tokens", exception.Message, StringComparison.Ordinal);
        // The node is well: others use it at once.
        network.BeforeToken = (_, _) => true;
        Assert.Equal("Hello from the chain.", (await host.Chat.GetResponseAsync("Hi", s_greedy, Cancelled)).Text);
    }

    // The first token of a session waits for a permit; the others follow.
    private static bool Pass(SemaphoreSlim gate, int index)
    {
        if (index == 0)
        {
            Assert.True(gate.Wait(TimeSpan.FromMinutes(1)));
        }

        return true;
    }

    private static FakeNetwork Of(int sessions, params string[] ranges)
    {
        FakeNetwork network = FakeNetwork.Of(ranges);
        network.KvTotalBytes = network.KvFreeBytes = sessions * Positions * (network.Blocks / ranges.Length) * network.KvBytesPerBlockPosition;
        return network;
    }

    private static async Task UntilAsync(Func<bool> holds)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        limit.CancelAfter(TimeSpan.FromMinutes(1));
        while (!holds())
        {
            await Task.Delay(5, limit.Token);
        }
    }
}
