using KwaaiNet.ShardNode.Scheduling;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ShardNode.Tests.Scheduling;

public sealed class GroupPacerTests
{
    private readonly FakeTimeProvider _time = new();
    private readonly GroupPacer _pacer;

    public GroupPacerTests() => _pacer = new GroupPacer(_time);

    [Fact]
    public void Where_one_batch_is_cheapest_it_stays_one_and_trials_become_rare()
    {
        // All on one machine: 15 ms a batch and 5 ms a step, whoever runs it.
        double[] shares = Run(turns: 4000, sessions: 16, groups => TimeSpan.FromMilliseconds(15 + (5.0 * 16 / groups)));
        Assert.True(shares[1] > 0.9, string.Join(" ", shares));
    }

    [Fact]
    public void Where_machines_work_side_by_side_there_come_to_be_as_many_groups_as_machines()
    {
        // Four machines: a group leaves as often as one of them takes for it, or as it comes round.
        double[] shares = Run(4000, 16, groups =>
        {
            double stage = (15 + (5.0 * 16 / groups)) / 4;
            return TimeSpan.FromMilliseconds(Math.Max(stage, 4 * stage / groups));
        });
        Assert.True(shares[4] > 0.6, string.Join(" ", shares));
    }

    [Fact]
    public void A_session_alone_is_a_group()
    {
        Assert.Equal(1, _pacer.Groups(1));
        Assert.All(Enumerable.Range(1, 100), sessions => Assert.InRange(_pacer.Groups(sessions), 1, sessions));
    }

    [Fact]
    public void Turns_with_prompts_are_not_compared()
    {
        for (int i = 0; i < 1000; i++)
        {
            _time.Advance(TimeSpan.FromMilliseconds(10));
            _pacer.Add(16, 16, alone: i % 5 != 0);
            Assert.Equal(1, _pacer.Groups(16));
        }
    }

    // Share of the turns with so many groups.
    private double[] Run(int turns, int sessions, Func<int, TimeSpan> period)
    {
        double[] shares = new double[GroupPacer.MaxGroups + 1];
        for (int i = 0; i < turns; i++)
        {
            int groups = _pacer.Groups(sessions);
            shares[groups] += 1.0 / turns;
            _time.Advance(period(groups));
            _pacer.Add(sessions / groups, sessions, alone: true);
        }

        return shares;
    }
}
