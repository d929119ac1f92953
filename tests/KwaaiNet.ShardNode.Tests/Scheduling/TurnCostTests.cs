using KwaaiNet.ShardNode.Scheduling;

namespace KwaaiNet.ShardNode.Tests.Scheduling;

public sealed class TurnCostTests
{
    [Fact]
    public void It_begins_with_what_was_measured_when_the_blocks_were_loaded()
    {
        TurnCost cost = new(16, stepsPerSecond: 50, rowsPerSecond: 250);
        Assert.Equal(0.020, cost.Steps(1), 9);
        Assert.Equal(0.004, cost.Row, 9);
        // A step that joins costs what a row does, until it has been seen.
        Assert.Equal(0.032, cost.Steps(4), 9);
        Assert.Equal(0.020 + (8 * 0.004), cost.Turn(1, 8), 9);
    }

    [Fact]
    public void What_was_not_seen_lies_between_its_neighbours()
    {
        TurnCost cost = new(16, 50, 250);
        for (int i = 0; i < 200; i++) cost.Add(9, 0, TimeSpan.FromMilliseconds(60));
        Assert.Equal(0.060, cost.Steps(9), 6);
        Assert.Equal(0.040, cost.Steps(5), 6);
    }

    [Fact]
    public void Rows_beside_decode_steps_are_charged_what_they_add()
    {
        TurnCost cost = new(16, 50, 1000);
        for (int i = 0; i < 200; i++)
        {
            cost.Add(8, 0, TimeSpan.FromMilliseconds(40));
            cost.Add(8, 10, TimeSpan.FromMilliseconds(90));
        }

        Assert.Equal(0.005, cost.Row, 4);
    }

    [Fact]
    public void One_pause_of_the_process_is_not_taken_for_the_device()
    {
        TurnCost cost = new(16, 50, 250);
        cost.Add(1, 0, TimeSpan.FromSeconds(30));
        Assert.InRange(cost.Steps(1), 0.020, 0.030);
    }

    [Fact]
    public void A_clock_that_does_not_move_teaches_nothing()
    {
        TurnCost cost = new(16, 0, 0);
        cost.Add(1, 0, TimeSpan.Zero);
        cost.Add(0, 8, TimeSpan.Zero);
        Assert.Equal((0, 0), (cost.Steps(1), cost.Row));
    }
}
