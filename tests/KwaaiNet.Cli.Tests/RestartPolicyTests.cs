using KwaaiNet.Cli.Network;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.Cli.Tests;

public sealed class RestartPolicyTests
{
    private const int Killed = 137;
    private readonly FakeTimeProvider _clock = new();

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(134)]
    [InlineData(137)]
    [InlineData(-1)]
    public void A_node_that_failed_crashed_or_was_killed_is_started_again_at_once(int exitCode) =>
        Assert.Equal(TimeSpan.FromSeconds(0.2), new RestartPolicy(_clock, enabled: true).Ended(exitCode).Delay);

    [Theory]
    [InlineData(0, "it was stopped on purpose")]
    [InlineData(2, "a setting of it is wrong, and would be wrong again")]
    public void A_node_that_was_stopped_or_is_set_wrongly_is_not_started_again_and_why_is_said(int exitCode, string why) =>
        Assert.Equal(RestartVerdict.No(why), new RestartPolicy(_clock, enabled: true).Ended(exitCode));

    [Fact]
    public void Without_restarts_no_node_is_started_again() =>
        Assert.Contains("--no-restart", new RestartPolicy(_clock, enabled: false).Ended(Killed).WhyNot, StringComparison.Ordinal);

    [Fact]
    public void Waits_double_up_to_ten_seconds_and_the_sixth_end_within_five_minutes_is_the_last()
    {
        RestartPolicy policy = new(_clock, enabled: true);
        List<double> waits = [];
        RestartVerdict verdict;
        while ((verdict = policy.Ended(Killed)).Delay is { } delay)
        {
            waits.Add(delay.TotalSeconds);
            _clock.Advance(delay);
        }

        Assert.Equal([0.2, 0.4, 0.8, 1.6, 3.2], waits);
        Assert.Equal(RestartVerdict.No("it was started again 5 times within 5 minutes", isLimit: true), verdict);
    }

    [Fact]
    public void A_node_that_dies_every_two_minutes_is_started_again_for_ever_and_waits_no_longer_than_ten_seconds()
    {
        RestartPolicy policy = new(_clock, enabled: true);
        TimeSpan? last = null;
        for (int death = 0; death < 20; death++)
        {
            // Never ready, so it never counts as well again.
            last = policy.Ended(Killed).Delay;
            Assert.NotNull(last);
            _clock.Advance(TimeSpan.FromMinutes(2));
        }

        Assert.Equal(TimeSpan.FromSeconds(10), last);
    }

    [Theory]
    [InlineData(59, 0.4)]
    [InlineData(60, 0.2)]
    public void A_node_that_was_ready_for_a_minute_is_well_again(int seconds, double wait)
    {
        RestartPolicy policy = new(_clock, enabled: true);
        policy.Ended(Killed);
        policy.Ready();
        _clock.Advance(TimeSpan.FromSeconds(seconds));
        Assert.Equal(TimeSpan.FromSeconds(wait), policy.Ended(Killed).Delay);
    }

    [Fact]
    public void A_start_that_failed_counts_as_an_end() =>
        Assert.Equal(TimeSpan.FromSeconds(0.2), new RestartPolicy(_clock, enabled: true).Ended(null).Delay);
}
