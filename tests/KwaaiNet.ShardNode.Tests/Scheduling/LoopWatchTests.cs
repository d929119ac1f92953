using KwaaiNet.ShardNode.Scheduling;

namespace KwaaiNet.ShardNode.Tests.Scheduling;

public sealed class LoopWatchTests
{
    // A look that sees the turn for the first time, and 4 s of half seconds.
    private const int LooksOfPatience = 9;

    private readonly LoopWatch _watch = new(TimeSpan.FromSeconds(4));

    [Fact]
    public void A_turn_without_end_is_noticed_and_so_is_its_end()
    {
        _watch.Begin();
        Assert.False(Look(LooksOfPatience - 1));
        Assert.True(Look(1));
        Assert.True(_watch.IsStuck);
        Assert.False(Look(1));
        _watch.End();
        Assert.True(Look(1));
        Assert.False(_watch.IsStuck);
    }

    [Fact]
    public void A_loop_that_sleeps_is_not_stuck_however_long()
    {
        _watch.Begin();
        _watch.End();
        Assert.False(Look(1000));
    }

    [Fact]
    public void Turns_that_end_are_no_hang_however_many()
    {
        for (int i = 0; i < 100; i++)
        {
            _watch.Begin();
            Assert.False(Look(LooksOfPatience - 2));
            _watch.End();
        }
    }

    [Fact]
    public void A_turn_that_is_expected_to_take_long_is_given_longer()
    {
        _watch.Begin();
        _watch.Expect(1);
        Assert.False(Look(40));
        Assert.True(Look(1));
    }

    // Whether any of the looks saw a change.
    private bool Look(int times)
    {
        bool changed = false;
        for (int i = 0; i < times; i++) changed |= _watch.Look();
        return changed;
    }
}
