using System.Diagnostics;
using KwaaiNet.Cli.Bench.Network;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Tests;

/// <summary>Which gaps in an answer count for a long prompt beside it, and what they come to.</summary>
public sealed class InterferenceTests
{
    [Fact]
    public void A_gap_counts_where_it_touches_the_time_of_the_prompt()
    {
        BenchAnswer answer = Answer(10, 20, 30, 70, 80, 95);
        Assert.Equal([10.0, 10.0], answer.GapsWithin(Ticks(10), Ticks(35)));
        Assert.Equal([40.0, 10.0], answer.GapsDuring(Ticks(35), Ticks(75)));
        Assert.Equal([40.0], answer.GapsDuring(Ticks(30), Ticks(70)));
        Assert.Equal([10.0, 10.0, 40.0, 10.0, 15.0], answer.Gaps);
    }

    [Theory]
    [InlineData(10, 40, 4, 50)] // three times the usual gap, and still within a turn
    [InlineData(40, 60, 1.5, 80)]
    public void The_bound_is_twice_the_usual_gap_or_a_turn(double before, double during, double ratio, double bound)
    {
        InterferenceResult result = InterferenceResult.Of([Prompt(100), Prompt(300), Prompt(200)], [before, before, before], [before, during]);
        Assert.Equal((200.0, ratio, bound, during), (result.TimeToFirstTokenP50, result.Ratio, result.BoundMilliseconds, result.GapMaxWhile));
    }

    [Fact]
    public void An_answer_that_did_not_come_is_a_failure_with_the_apis_own_words()
    {
        BenchAnswer refused = new() { Started = 0, Status = 400, Problem = "context_length_exceeded" };
        Assert.Contains("400: context_length_exceeded", Assert.Throws<CommandFailure>(refused.MustBeTimed).Message, StringComparison.Ordinal);
        BenchAnswer broken = Answer(1, 2);
        (broken.Status, broken.Problem) = (200, "chain_lost");
        Assert.Contains("broke off: chain_lost", Assert.Throws<CommandFailure>(broken.MustBeTimed).Message, StringComparison.Ordinal);
    }

    private static BenchAnswer Prompt(int firstToken)
    {
        BenchAnswer answer = Answer(firstToken);
        answer.PromptTokens = 500;
        return answer;
    }

    private static BenchAnswer Answer(params int[] milliseconds)
    {
        BenchAnswer answer = new() { Started = 0, Status = 200 };
        answer.Arrivals.AddRange(milliseconds.Select(Ticks));
        return answer;
    }

    private static long Ticks(int milliseconds) => milliseconds * Stopwatch.Frequency / 1_000;
}
