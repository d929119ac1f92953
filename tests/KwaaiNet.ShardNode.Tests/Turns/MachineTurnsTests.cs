using KwaaiNet.ShardNode.Turns;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ShardNode.Tests.Turns;

/// <summary>Shards of one machine compute one after the other, and none of them can hold up the others for good.</summary>
public sealed class MachineTurnsTests
{
    private static readonly TimeSpan s_long = TimeSpan.FromMinutes(1);
    private readonly string _name = $"kwaainet-test-{Guid.NewGuid():N}";
    private readonly FakeTimeProvider _time = new();

    [Fact]
    public void Two_never_compute_at_the_same_time()
    {
        int computing = 0;
        int together = 0;
        Thread[] shards = [.. Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            using MachineTurns turns = new(_name, s_long, _time);
            for (int turn = 0; turn < 200; turn++)
            {
                turns.Enter();
                if (Interlocked.Increment(ref computing) > 1) Interlocked.Increment(ref together);
                Thread.SpinWait(50);
                Interlocked.Decrement(ref computing);
                turns.Leave();
            }
        }))];
        foreach (Thread shard in shards) shard.Start();
        foreach (Thread shard in shards) shard.Join();

        Assert.Equal(0, together);
    }

    [Fact]
    public void Who_is_waited_for_in_vain_is_not_waited_for_again_for_a_while()
    {
        using MachineTurns mine = new(_name, TimeSpan.Zero, _time);
        using ManualResetEventSlim goesOn = new();
        Thread frozen = StandStill(goesOn, leaves: true);

        // Computes all the same.
        Assert.False(HasTurn(mine));
        goesOn.Set();
        frozen.Join();
        _time.Advance(MachineTurns.WithoutTurns / 2);
        Assert.False(HasTurn(mine));
        _time.Advance(MachineTurns.WithoutTurns);
        Assert.True(HasTurn(mine));
        Assert.True(HasTurn(mine));
    }

    [Fact]
    public void A_turn_whose_holder_ends_without_leaving_it_is_the_next_ones()
    {
        using ManualResetEventSlim dies = new();
        Thread dead = StandStill(dies, leaves: false);
        dies.Set();
        dead.Join();

        using MachineTurns mine = new(_name, s_long, _time);
        Assert.True(HasTurn(mine));
    }

    private static bool HasTurn(MachineTurns turns)
    {
        turns.Enter();
        bool has = turns.HasTurn;
        turns.Leave();
        return has;
    }

    // A shard that has the turn and stands still: on a thread of its own, for a mutex belongs to one.
    private Thread StandStill(ManualResetEventSlim until, bool leaves)
    {
        using ManualResetEventSlim entered = new();
        Thread thread = new(() =>
        {
            MachineTurns turns = new(_name, s_long, _time);
            turns.Enter();
            entered.Set();
            until.Wait();
            if (leaves) turns.Leave();
        });
        thread.Start();
        entered.Wait();
        return thread;
    }
}
