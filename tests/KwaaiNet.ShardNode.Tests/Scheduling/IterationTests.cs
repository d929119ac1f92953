using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ShardNode.Tests.Scheduling;

/// <summary>How long turns take, on a device whose clock is the test's.</summary>
public sealed class IterationTests
{
    [Fact]
    public async Task While_somebody_decodes_turns_with_a_prompt_come_to_stay_within_the_target()
    {
        FakeTimeProvider time = new();
        using SemaphoreSlim gate = new(0);
        // 5 ms a turn and 2 ms a row.
        FakeStack stack = new(context: 2048, kvBudget: 1 << 24) { Gate = gate, OnRun = rows => time.Advance(TimeSpan.FromMilliseconds(5 + (2 * rows))) };
        await using LoopHarness harness = new(stack, prefillRows: 256, time: time);
        OpenSession decoding = await harness.OpenAsync(maxNewTokens: 400, maxPositions: 500);
        OpenSession prompt = await harness.OpenAsync(maxNewTokens: 1, maxPositions: 2000);
        harness.Send(LoopHarness.Tokens(decoding, 0, 0, true, 1));
        await stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        for (uint i = 0; i < 6; i++) harness.Send(LoopHarness.Tokens(prompt, i, i * 250, i == 5, [.. Enumerable.Repeat(1, 250)]));
        gate.Release(1000);
        while (true)
        {
            ControlEvent message = await harness.Events.NextAsync();
            if (message.Token.SessionId == prompt.SessionId) break;
        }

        int[][] mixed = [.. stack.Batches.Where(rows => rows.Length == 2)];
        Assert.True(mixed.Length > 20, $"{mixed.Length} turns had both.");
        // The first rows tell what rows cost.
        Assert.All(mixed.Skip(20), rows => Assert.InRange(5 + (2 * rows.Sum()), 0, 50));
        Assert.All(mixed.Skip(20).SkipLast(1), rows => Assert.True(rows.Max() >= 8));
    }

    [Fact]
    public async Task A_turn_that_does_not_end_is_told_outside_and_its_end_too()
    {
        using SemaphoreSlim gate = new(0);
        await using LoopHarness harness = new(new FakeStack { Gate = gate });
        List<bool> told = [];
        harness.Loop.StuckChanged += () => told.Add(harness.Loop.IsStuck);
        OpenSession open = await harness.OpenAsync(maxNewTokens: 1);
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, 1));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        harness.Time.Advance(TimeSpan.FromSeconds(9));
        Assert.False(harness.Loop.IsStuck);
        harness.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(harness.Loop.IsStuck);

        gate.Release();
        Assert.True((await harness.Events.NextAsync()).Token.Last);
        await harness.SettleAsync();
        harness.Time.Advance(TimeSpan.FromSeconds(1));
        Assert.False(harness.Loop.IsStuck);
        Assert.Equal([true, false], told);
    }
}
