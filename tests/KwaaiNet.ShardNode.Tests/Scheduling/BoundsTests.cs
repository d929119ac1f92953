using Google.Protobuf;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Scheduling;

/// <summary>What one peer may pile up here.</summary>
public sealed class BoundsTests
{
    private const int Window = 64;
    private const string Other = "did:key:other";

    [Fact]
    public async Task A_peer_that_opens_without_end_is_not_read_until_the_loop_has_caught_up()
    {
        using SemaphoreSlim gate = new(0);
        await using LoopHarness harness = new(new FakeStack { Gate = gate }, maxSessions: 256);
        OpenSession held = await harness.OpenAsync();
        harness.Send(LoopHarness.Tokens(held, 0, 0, false, 1));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        (SessionOwner owner, EventLog<ControlEvent> events) = LoopHarness.Connect(Other);
        for (int i = 0; i < Window; i++)
        {
            OpenSession open = harness.OpenRequest();
            Task taken = owner.WaitForCommandAsync(open.CalculateSize(), TestContext.Current.CancellationToken);
            Assert.True(taken.IsCompletedSuccessfully);
            harness.Loop.Open(open, owner);
        }

        Task next = owner.WaitForCommandAsync(0, TestContext.Current.CancellationToken);
        Assert.False(next.IsCompleted);
        gate.Release();
        await next.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
        Assert.NotNull((await events.NextAsync()).Opened);
    }

    [Fact]
    public async Task An_opening_that_carries_much_counts_for_as_many_as_its_size()
    {
        SessionOwner owner = new(Other);
        await owner.WaitForCommandAsync(40 << 20, TestContext.Current.CancellationToken);
        Task next = owner.WaitForCommandAsync(40 << 20, TestContext.Current.CancellationToken);
        Assert.False(next.IsCompleted);
        owner.FreeCommand(40 << 20);
        await next.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Commands_without_end_do_not_keep_steps_from_running()
    {
        using SemaphoreSlim gate = new(0);
        await using LoopHarness harness = new(new FakeStack { Gate = gate }, maxSessions: 4096);
        OpenSession held = await harness.OpenAsync();
        harness.Send(LoopHarness.Tokens(held, 0, 0, false, 1));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        harness.Send(LoopHarness.Tokens(held, 1, 1, false, 1));
        (SessionOwner owner, EventLog<ControlEvent> events) = LoopHarness.Connect(Other);
        ByteString never = LoopHarness.NewId();
        for (int i = 0; i < 1000; i++) harness.Loop.Close(new CloseSession { SessionId = never }, owner);
        gate.Release();
        // The second step runs, and is held, before the loop has come to the end of the commands.
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        int answered = 0;
        while (events.TryNext(out _)) answered++;
        Assert.True(answered < 1000, $"{answered} commands were carried out before a step.");

        gate.Release();
        for (; answered < 1000; answered++) Assert.NotNull((await events.NextAsync()).Closed);
    }

    [Fact]
    public async Task One_node_does_not_take_all_sessions()
    {
        await using LoopHarness harness = new(maxSessions: 16);
        int opened = 0;
        ControlEvent answer;
        while (true)
        {
            harness.Loop.Open(harness.OpenRequest(maxPositions: 8), harness.Owner);
            answer = await harness.Events.NextAsync();
            if (answer.EventCase != ControlEvent.EventOneofCase.Opened) break;

            opened++;
        }

        Assert.Equal(14, opened);
        Assert.Equal((FailureCode.KvExhausted, true, 0), (answer.Failed.Code, answer.Failed.HasKvFreeBytes, answer.Failed.KvFreeBytes));
        (SessionOwner other, EventLog<ControlEvent> events) = LoopHarness.Connect(Other);
        harness.Loop.Open(harness.OpenRequest(maxPositions: 8), other);
        Assert.NotNull((await events.NextAsync()).Opened);
    }

    [Fact]
    public async Task Sessions_a_node_may_have_are_counted_over_all_its_streams_and_given_back()
    {
        await using LoopHarness harness = new(maxOwnerSessions: 2);
        (SessionOwner second, EventLog<ControlEvent> events) = LoopHarness.Connect(LoopHarness.Api);
        OpenSession first = await harness.OpenAsync();
        await harness.OpenAsync();
        harness.Loop.Open(harness.OpenRequest(), second);
        Assert.Equal(FailureCode.KvExhausted, (await events.NextAsync()).Failed.Code);
        harness.Loop.Close(new CloseSession { SessionId = first.SessionId }, second);
        Assert.NotNull((await events.NextAsync()).Closed);
        harness.Loop.Open(harness.OpenRequest(), second);
        Assert.NotNull((await events.NextAsync()).Opened);
    }

    [Fact]
    public async Task A_refusal_says_when_the_oldest_session_may_be_over()
    {
        await using LoopHarness harness = new(maxSessions: 2);
        harness.Loop.Open(harness.OpenRequest(), harness.Owner);
        ByteString first = (await harness.Events.NextAsync()).Opened.SessionId;
        harness.Time.Advance(TimeSpan.FromSeconds(8));
        harness.Loop.Close(new CloseSession { SessionId = first }, harness.Owner);
        Assert.NotNull((await harness.Events.NextAsync()).Closed);

        // Sessions last 8 s here. The older of the two has lasted 3 of them when a third asks.
        await harness.OpenAsync();
        harness.Time.Advance(TimeSpan.FromSeconds(3));
        await harness.OpenAsync();
        harness.Loop.Open(harness.OpenRequest(), harness.Owner);
        SessionFailed refused = (await harness.Events.NextAsync()).Failed;
        Assert.Equal((true, 5000u), (refused.HasRetryAfterMs, refused.RetryAfterMs));
    }

    [Fact]
    public async Task A_refusal_for_want_of_memory_counts_the_bytes_that_sessions_will_free()
    {
        const int PositionBytes = 16 * FakeStack.BlockCount;
        await using LoopHarness harness = new(new FakeStack(kvBudget: PositionBytes * 30));
        OpenSession over = await harness.OpenAsync(maxPositions: 10);
        harness.Time.Advance(TimeSpan.FromSeconds(10));
        harness.Loop.Close(new CloseSession { SessionId = over.SessionId }, harness.Owner);
        Assert.NotNull((await harness.Events.NextAsync()).Closed);
        for (int i = 0; i < 3; i++)
        {
            await harness.OpenAsync(maxPositions: 10);
            harness.Time.Advance(TimeSpan.FromSeconds(2));
        }

        // Of 10 s they have lasted 6, 4 and 2: two of them have to end.
        harness.Loop.Open(harness.OpenRequest(maxPositions: 20), harness.Owner);
        Assert.Equal(6000u, (await harness.Events.NextAsync()).Failed.RetryAfterMs);
    }

    [Fact]
    public async Task Where_no_session_has_ended_yet_nothing_is_promised()
    {
        await using LoopHarness harness = new(maxSessions: 1);
        await harness.OpenAsync();
        harness.Loop.Open(harness.OpenRequest(), harness.Owner);
        Assert.False((await harness.Events.NextAsync()).Failed.HasRetryAfterMs);
    }
}
