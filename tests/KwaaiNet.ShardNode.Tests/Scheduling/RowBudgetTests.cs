using KwaaiNet.ShardNode.Scheduling;

namespace KwaaiNet.ShardNode.Tests.Scheduling;

public sealed class RowBudgetTests
{
    private const double Row = 0.004;
    private static readonly TimeSpan s_target = TimeSpan.FromMilliseconds(50);

    [Fact]
    public void A_turn_with_few_decode_steps_stays_within_the_target()
    {
        TurnCost cost = new(16, stepsPerSecond: 1 / 0.010, rowsPerSecond: 1 / Row);
        RowBudget budget = new(s_target, 256, cost);
        int rows = budget.Rows(1, othersDecode: true, prompts: 1);
        Assert.Equal(8, rows); // 40 ms are left, ten rows, and a started tile of eight costs a whole one
        Assert.True(cost.Turn(1, rows) <= s_target.TotalSeconds);
    }

    [Fact]
    public void Steps_that_take_longer_than_the_target_alone_are_less_than_doubled()
    {
        TurnCost cost = new(16, 1 / 0.080, 1 / Row);
        int rows = new RowBudget(s_target, 256, cost).Rows(1, true, 1);
        Assert.True(rows >= 8);
        Assert.True(cost.Turn(1, rows) < 2 * cost.Steps(1));
    }

    [Fact]
    public void A_step_that_is_somewhere_else_finds_half_a_target_before_it_at_most()
    {
        TurnCost cost = new(16, 1 / 0.001, 1 / 0.001);
        int rows = new RowBudget(s_target, 256, cost).Rows(0, othersDecode: true, prompts: 1);
        Assert.Equal(24, rows);
    }

    [Fact]
    public void While_nobody_decodes_a_turn_may_take_six_targets()
    {
        RowBudget budget = new(s_target, 256, new TurnCost(16, 1 / Row, 1 / Row));
        Assert.Equal(72, budget.Rows(0, othersDecode: false, prompts: 1));
    }

    [Fact]
    public void Many_prompts_in_line_stretch_a_turn_but_not_without_end()
    {
        TurnCost cost = new(16, 1 / 0.010, 1 / Row);
        RowBudget budget = new(s_target, 256, cost);
        int one = budget.Rows(1, true, 1);
        int three = budget.Rows(1, true, 3);
        int many = budget.Rows(1, true, 1000);
        Assert.True(one < three && three < many, $"{one}, {three}, {many}");
        Assert.True(many * Row <= 6 * s_target.TotalSeconds);
    }

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, true)]
    public void There_is_always_a_tile_and_never_more_than_the_cap(int steps, bool decode)
    {
        Assert.Equal(8, new RowBudget(s_target, 256, new TurnCost(16, 0.1, 0.1)).Rows(steps, decode, 1));
        Assert.Equal(3, new RowBudget(s_target, 3, new TurnCost(16, 0.1, 0.1)).Rows(steps, decode, 1));
        Assert.Equal(64, new RowBudget(s_target, 64, new TurnCost(16, 1e6, 1e6)).Rows(steps, decode, 1));
        Assert.Equal(24, new RowBudget(s_target, 24, new TurnCost(16, 0, 0)).Rows(steps, decode, 1));
    }
}
