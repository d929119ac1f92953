using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ShardNode.Tests.Scheduling;

/// <summary>Steps that wait for others on their way, on a device of 20 ms a turn and 1 ms a row.</summary>
public sealed class StepGateTests
{
    private readonly FakeTimeProvider _time = new();
    private OpenSession[] _sessions = [];

    [Fact]
    public Task The_first_shard_lets_its_sessions_go_together() => GoTogetherAsync(Stack(0, 3));

    [Fact]
    public async Task Who_is_waited_for_in_vain_costs_no_more_than_a_turn()
    {
        await using LoopHarness harness = new(Stack(0, 3), time: _time);
        FakeHops.FakeHop next = await DecodeTogetherAsync(harness);

        harness.Send(Step(_sessions[0], harness, 2));
        await harness.SettleAsync();
        Assert.True(next.IsSilent);
        _time.Advance(TimeSpan.FromMilliseconds(25));
        // Should the loop have looked at the clock before and set its timer after, it looks again now.
        await harness.SettleAsync();
        Assert.Equal(_sessions[0].SessionId, (await next.NextAsync()).SessionId);
    }

    [Fact]
    public async Task Who_has_not_been_seen_for_long_is_not_waited_for()
    {
        await using LoopHarness harness = new(Stack(0, 3), time: _time);
        FakeHops.FakeHop next = await DecodeTogetherAsync(harness);

        _time.Advance(TimeSpan.FromSeconds(2));
        harness.Send(Step(_sessions[0], harness, 2));
        Assert.Equal(_sessions[0].SessionId, (await next.NextAsync()).SessionId);
    }

    [Fact]
    public Task A_later_shard_waits_for_those_that_came_with_it_the_last_time() => GoTogetherAsync(Stack(2, 4));

    [Fact]
    public async Task A_prompt_does_not_wait()
    {
        await using LoopHarness harness = new(Stack(0, 3), time: _time);
        FakeHops.FakeHop next = await DecodeTogetherAsync(harness);

        OpenSession third = await harness.OpenAsync();
        harness.Send(Step(_sessions[0], harness, 2));
        harness.Send(LoopHarness.Tokens(third, 0, 0, true, 1, 2, 3));
        for (int i = 0; i < 2; i++) await next.NextAsync();
    }

    private async Task GoTogetherAsync(FakeStack stack)
    {
        await using LoopHarness harness = new(stack, time: _time);
        FakeHops.FakeHop next = await DecodeTogetherAsync(harness);

        harness.Send(Step(_sessions[0], harness, 2));
        await harness.SettleAsync();
        Assert.True(next.IsSilent);
        harness.Send(Step(_sessions[1], harness, 2));
        for (int i = 0; i < 2; i++) await next.NextAsync();
        Assert.Equal([1, 1], harness.Stack.Batches[^1]);
    }

    private FakeStack Stack(int first, int end) => new(first, end) { OnRun = rows => _time.Advance(TimeSpan.FromMilliseconds(20 + rows)) };

    // Two sessions whose prompts are done, and that have decoded once in one batch.
    private async Task<FakeHops.FakeHop> DecodeTogetherAsync(LoopHarness harness)
    {
        _sessions = [await harness.OpenAsync(), await harness.OpenAsync()];
        FakeHops.FakeHop next = harness.Hops.Hops["did:key:next"];
        foreach (OpenSession session in _sessions)
        {
            harness.Send(Step(session, harness, 0));
            await next.NextAsync();
        }

        using SemaphoreSlim gate = new(0);
        OpenSession held = await harness.OpenAsync();
        harness.Stack.Gate = gate;
        while (harness.Stack.Entered.CurrentCount > 0) await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        harness.Send(Step(held, harness, 0));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        foreach (OpenSession session in _sessions) harness.Send(Step(session, harness, 1));
        harness.Stack.Gate = null;
        gate.Release();
        for (int i = 0; i < 3; i++) await next.NextAsync();
        Assert.Equal([1, 1], harness.Stack.Batches[^1]);
        return next;
    }

    private static StepFrame Step(OpenSession open, LoopHarness harness, uint at) => harness.Stack.Options.FirstBlock == 0
        ? LoopHarness.Tokens(open, at, at, true, 1)
        : LoopHarness.Hidden(open, at, at, true, 1);
}
