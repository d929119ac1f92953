using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Scheduling;

/// <summary>One node with 64 sessions beside a node with one.</summary>
public sealed class FairnessTests
{
    private const int Greedy = 64;

    // What the node with one session hears.
    private EventLog<ControlEvent> _modest = new();

    [Fact]
    public async Task Prompts_of_a_node_with_many_sessions_take_half_of_the_rows_and_no_more()
    {
        using SemaphoreSlim gate = new(0);
        await using LoopHarness harness = new(new FakeStack { Gate = gate }, prefillRows: 8, maxSessions: 256);
        (List<OpenSession> greedy, OpenSession modest) = await OpenAsync(harness, Greedy, 1, 1);
        await HoldAsync(harness);
        int[] prompt = [.. Enumerable.Repeat(1, 24)];
        foreach (OpenSession open in greedy) harness.Send(LoopHarness.Tokens(open, 0, 0, true, prompt));
        harness.Send(LoopHarness.Tokens(modest, 0, 0, true, prompt));
        // The turn that holds the loop, and three chunks each of the two nodes, in turn.
        gate.Release(1 + (2 * 3));
        Assert.True((await _modest.NextAsync()).Token.Last);
    }

    [Fact]
    public async Task Steps_of_a_node_with_one_session_run_in_every_turn_although_not_all_fit()
    {
        using SemaphoreSlim gate = new(0);
        await using LoopHarness harness = new(new FakeStack { Gate = gate }, maxSessions: 256, maxSteps: 8);
        (List<OpenSession> greedy, OpenSession modest) = await OpenAsync(harness, Greedy, 60, 5);
        await HoldAsync(harness);
        foreach (OpenSession open in greedy) harness.Send(LoopHarness.Tokens(open, 0, 0, true, 1));
        harness.Send(LoopHarness.Tokens(modest, 0, 0, true, 1));
        gate.Release(1 + 5);
        for (int i = 0; i < 5; i++) Assert.Equal(i == 4, (await _modest.NextAsync()).Token.Last);
    }

    [Fact]
    public async Task Steps_without_end_leave_a_place_for_a_prompt()
    {
        using SemaphoreSlim gate = new(0);
        await using LoopHarness harness = new(new FakeStack { Gate = gate }, prefillRows: 8, maxSteps: 4);
        (List<OpenSession> greedy, OpenSession modest) = await OpenAsync(harness, 16, 60, 1);
        await HoldAsync(harness);
        foreach (OpenSession open in greedy) harness.Send(LoopHarness.Tokens(open, 0, 0, true, 1));
        harness.Send(LoopHarness.Tokens(modest, 0, 0, true, [.. Enumerable.Repeat(1, 16)]));
        gate.Release(1 + 2);
        Assert.True((await _modest.NextAsync()).Token.Last);
        Assert.All(harness.Stack.Batches, batch => Assert.True(batch.Length <= 4));
    }

    [Fact]
    public async Task A_short_prompt_does_not_wait_for_a_long_one_of_the_same_node()
    {
        using SemaphoreSlim gate = new(0);
        await using LoopHarness harness = new(new FakeStack { Gate = gate }, prefillRows: 8);
        (List<OpenSession> open, _) = await OpenAsync(harness, 2, 1, 1);
        await HoldAsync(harness);
        harness.Send(LoopHarness.Tokens(open[0], 0, 0, true, [.. Enumerable.Repeat(1, 60)]));
        harness.Send(LoopHarness.Tokens(open[1], 0, 0, true, [1, 2, 3]));
        gate.Release(1 + 2);
        Assert.Equal(open[1].SessionId, (await harness.Events.NextAsync()).Token.SessionId);
    }

    // Sessions of the node that has many, and one of the other.
    private async Task<(List<OpenSession> Greedy, OpenSession Modest)> OpenAsync(LoopHarness harness, int greedy, uint greedyTokens, uint modestTokens)
    {
        List<OpenSession> sessions = [];
        while (sessions.Count < greedy) sessions.Add(await harness.OpenAsync(greedyTokens));
        OpenSession modest = harness.OpenRequest(modestTokens);
        (SessionOwner owner, _modest) = LoopHarness.Connect("did:key:modest");
        harness.Loop.Open(modest, owner);
        Assert.NotNull((await _modest.NextAsync()).Opened);
        return (sessions, modest);
    }

    // Puts the loop into a turn that does not end, so that what is sent now is gathered together.
    private static async Task HoldAsync(LoopHarness harness)
    {
        OpenSession first = await harness.OpenAsync();
        harness.Send(LoopHarness.Tokens(first, 0, 0, false, 1));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
    }
}
