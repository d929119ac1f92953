using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Scheduling;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Loop;

public sealed class BatchTests
{
    [Fact]
    public async Task Steps_that_are_ready_together_run_together()
    {
        await using LoopHarness harness = new(new FakeStack { Gate = new SemaphoreSlim(0) });
        OpenSession first = await harness.OpenAsync();
        List<OpenSession> others = [];
        for (int i = 0; i < 5; i++) others.Add(await harness.OpenAsync(maxNewTokens: 1));

        harness.Send(LoopHarness.Tokens(first, 0, 0, false, 1));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        foreach (OpenSession other in others) harness.Send(LoopHarness.Tokens(other, 0, 0, true, 2));
        harness.Stack.Gate!.Release(100);
        for (int i = 0; i < 5; i++) Assert.True((await harness.Events.NextAsync()).Token.Last);
        Assert.Equal([1, 1, 1, 1, 1], harness.Stack.Batches[1]);
    }

    [Fact]
    public async Task A_long_prompt_lets_others_decode_between_its_chunks()
    {
        await using LoopHarness harness = new(new FakeStack { Gate = new SemaphoreSlim(0) }, prefillRows: 8);
        OpenSession longOne = await harness.OpenAsync(maxNewTokens: 1);
        OpenSession shortOne = await harness.OpenAsync(maxNewTokens: 4);
        harness.Send(LoopHarness.Tokens(longOne, 0, 0, true, [.. Enumerable.Repeat(1, 48)]));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        harness.Send(LoopHarness.Tokens(shortOne, 0, 0, true, 9));
        harness.Stack.Gate!.Release(100);

        // Four tokens of the short one are there before the long one's last chunk has run.
        for (int i = 0; i < 4; i++) Assert.Equal(shortOne.SessionId, (await harness.Events.NextAsync()).Token.SessionId);
        Assert.Equal(longOne.SessionId, (await harness.Events.NextAsync()).Token.SessionId);
        Assert.Equal([[8], [8, 1], [8, 1], [8, 1], [8, 1], [8]], harness.Stack.Batches.Select(rows => rows.OrderDescending().ToArray()).ToArray());
    }

    [Fact]
    public async Task Prompts_share_the_rows_of_a_turn_in_rotation()
    {
        await using LoopHarness harness = new(new FakeStack { Gate = new SemaphoreSlim(0) }, prefillRows: 8);
        OpenSession one = await harness.OpenAsync(maxNewTokens: 1);
        OpenSession two = await harness.OpenAsync(maxNewTokens: 1);
        harness.Send(LoopHarness.Tokens(one, 0, 0, true, [.. Enumerable.Repeat(1, 24)]));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        harness.Send(LoopHarness.Tokens(two, 0, 0, true, [.. Enumerable.Repeat(1, 8)]));
        harness.Stack.Gate!.Release(100);
        Assert.Equal(two.SessionId, (await harness.Events.NextAsync()).Token.SessionId);
        Assert.Equal(one.SessionId, (await harness.Events.NextAsync()).Token.SessionId);
        Assert.All(harness.Stack.Batches, rows => Assert.True(rows.Sum() <= 8));
    }

    [Fact]
    public async Task A_step_the_blocks_refuse_ends_its_own_session_only()
    {
        await using LoopHarness harness = new(new FakeStack { Gate = new SemaphoreSlim(0) });
        OpenSession first = await harness.OpenAsync();
        OpenSession bad = await harness.OpenAsync();
        OpenSession good = await harness.OpenAsync(maxNewTokens: 3);
        harness.Send(LoopHarness.Tokens(first, 0, 0, false, 1));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        harness.Send(LoopHarness.Tokens(bad, 0, 0, true, FakeStack.PoisonToken));
        harness.Send(LoopHarness.Tokens(good, 0, 0, true, 4, 2));
        harness.Stack.Gate!.Release(100);
        SessionFailed failed = (await harness.Events.NextAsync()).Failed;
        Assert.Equal((bad.SessionId, FailureCode.ComputeFailed), (failed.SessionId, failed.Code));
        Assert.Equal(LoopHarness.Reference([4, 2], 3), await harness.TokensUntilLastAsync());
    }

    [Fact]
    public async Task A_device_that_fails_ends_all_sessions_and_the_loop()
    {
        await using LoopHarness harness = new(new FakeStack { DeviceFails = true, FreesBadly = true });
        OpenSession open = await harness.OpenAsync();
        await harness.OpenAsync();
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, 1));
        for (int i = 0; i < 2; i++) Assert.Equal(FailureCode.ComputeFailed, (await harness.Events.NextAsync()).Failed.Code);
        Assert.Equal(LoopEnd.DeviceLost, await harness.Loop.Ended.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken));
        Assert.Equal("The fake device failed.", harness.Loop.DeviceFailure);
        Assert.True(harness.Stack.Disposed);
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, 1));
        Assert.Equal(FailureCode.UnknownSession, (await harness.Refusals.NextAsync()).Code);
    }

    [Fact]
    public async Task A_neighbour_without_room_holds_prompts_back_and_neither_answers_nor_other_neighbours()
    {
        await using LoopHarness harness = new(new FakeStack(0, 3));
        OpenSession answering = await harness.OpenAsync();
        OpenSession slow = await harness.OpenAsync();
        OpenSession quick = await harness.OpenAsync(change: request => request.Next.NodeId = "did:key:other");
        FakeHops.FakeHop full = harness.Hops.Hops["did:key:next"];
        harness.Send(LoopHarness.Tokens(answering, 0, 0, true, 1, 2));
        await full.NextAsync();
        full.Full = true;
        harness.Send(LoopHarness.Tokens(slow, 0, 0, true, 1, 2, 3));
        harness.Send(LoopHarness.Tokens(quick, 0, 0, true, 1, 2, 3));
        await harness.Hops.Hops["did:key:other"].NextAsync();
        harness.Send(LoopHarness.Tokens(answering, 1, 2, true, 5));
        Assert.Equal(answering.SessionId, (await full.NextAsync()).SessionId);
        Assert.True(full.IsSilent);
        full.Full = false;
        harness.Loop.OnRoom();
        Assert.Equal(slow.SessionId, (await full.NextAsync()).SessionId);
    }

    [Fact]
    public async Task A_prompt_that_waits_at_the_next_shard_goes_on_when_it_is_taken_and_holds_nobody_else_back()
    {
        await using LoopHarness harness = new(new FakeStack(0, 3));
        OpenSession slow = await harness.OpenAsync();
        OpenSession quick = await harness.OpenAsync();
        FakeHops.FakeHop next = harness.Hops.Hops["did:key:next"];
        next.Acknowledges = true;
        for (uint step = 0; step < ShardSession.MaxPromptsAhead + 1; step++) harness.Send(LoopHarness.Tokens(slow, step, 2 * step, false, 1, 2));
        for (uint step = 0; step < ShardSession.MaxPromptsAhead; step++) Assert.Equal((slow.SessionId, step), Named(await next.NextAsync()));
        harness.Send(LoopHarness.Tokens(quick, 0, 0, true, 1, 2));
        Assert.Equal((quick.SessionId, 0ul), Named(await next.NextAsync()));
        Assert.True(next.IsSilent);
        harness.Loop.OnLeft(next, new StepRefused { SessionId = slow.SessionId });
        Assert.Equal((slow.SessionId, (ulong)ShardSession.MaxPromptsAhead), Named(await next.NextAsync()));

        static (Google.Protobuf.ByteString, ulong) Named(StepFrame frame)
        {
            Assert.True(frame.Acknowledge);
            return (frame.SessionId, frame.Step);
        }
    }

    [Fact]
    public async Task A_step_that_asks_for_it_is_acknowledged_once_it_has_left()
    {
        await using LoopHarness harness = new(new FakeStack());
        OpenSession open = await harness.OpenAsync();
        StepFrame frame = LoopHarness.Tokens(open, 0, 0, false, 1, 2);
        frame.Acknowledge = true;
        harness.Send(frame);
        StepRefused answer = await harness.Refusals.NextAsync();
        Assert.Equal((open.SessionId, 0ul, FailureCode.Unspecified), (answer.SessionId, answer.Step, answer.Code));
    }

    [Fact]
    public async Task A_step_overtakes_prompts_only_behind_a_token_that_was_drawn()
    {
        await using LoopHarness harness = new(new FakeStack(0, 3));
        OpenSession open = await harness.OpenAsync();
        FakeHops.FakeHop next = harness.Hops.Hops["did:key:next"];
        // Two rows, the single row that is left of the prompt, an answer's token; then the same of a replay.
        (uint At, bool Sample, int[] Tokens)[] steps = [(0, false, [1, 2]), (2, true, [3]), (3, true, [4]), (4, false, [5]), (5, true, [6]), (6, true, [7])];
        for (int step = 0; step < steps.Length; step++)
        {
            harness.Send(LoopHarness.Tokens(open, (ulong)step, steps[step].At, steps[step].Sample, steps[step].Tokens));
            await next.NextAsync();
        }

        Assert.Equal([false, false, true, true, false, true], next.Overtook);
    }

    [Fact]
    public async Task A_neighbour_that_sends_too_much_is_held_back_until_its_steps_are_done()
    {
        await using LoopHarness harness = new(new FakeStack { Gate = new SemaphoreSlim(0) });
        OpenSession open = await harness.OpenAsync();
        (StepStream stream, _) = LoopHarness.ConnectSteps(LoopHarness.Api, window: 2);
        harness.Send(LoopHarness.Tokens(open, 0, 0, false, 1), stream);
        harness.Send(LoopHarness.Tokens(open, 1, 1, false, 1), stream);
        Task third = stream.WaitForSlotsAsync(LoopHarness.Tokens(open, 2, 2, false, 1), TestContext.Current.CancellationToken);
        Assert.False(third.IsCompleted);
        harness.Stack.Gate!.Release(100);
        await third.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_large_step_counts_for_as_many_as_its_size()
    {
        StepStream stream = new(LoopHarness.Api, window: 4);
        StepFrame large = new() { Hidden = Google.Protobuf.ByteString.CopyFrom(new byte[3 << 20]) };
        await stream.WaitForSlotsAsync(large, TestContext.Current.CancellationToken);
        Task next = stream.WaitForSlotsAsync(new StepFrame(), TestContext.Current.CancellationToken);
        Assert.False(next.IsCompleted);
        stream.FreeSlots(large);
        await next.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task An_owner_that_stops_reading_is_given_up()
    {
        KwaaiNet.ShardNode.Sessions.SessionOwner owner = new(LoopHarness.Api);
        for (int events = 0; events < KwaaiNet.ShardNode.Sessions.SessionOwner.MaxWaitingEvents; events++) owner.Post(new ControlEvent());
        Assert.False(owner.GivenUp.IsCompleted);
        owner.Post(new ControlEvent());
        await owner.GivenUp.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
    }
}
