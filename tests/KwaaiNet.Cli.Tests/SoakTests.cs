using System.Text;
using System.Text.Json;
using KwaaiNet.Cli.Bench.Network;
using KwaaiNet.Cli.Bench.Soak;
using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Tests;

/// <summary>What a soak asks, how an answer is judged, and what the whole comes to.</summary>
public sealed class SoakTests
{
    private const int Context = 1_024;

    private static readonly SoakTurn s_turn = new("conversation 1, turn 1", BenchQuestion.Of("", "Hello", 8), "one two three", 5);

    [Fact]
    public void The_same_seed_asks_the_same_and_another_seed_something_else()
    {
        SoakPlan plan = SoakPlan.Draw(7, Context);
        SoakPlan again = SoakPlan.Draw(7, Context);
        Assert.Equal(Written(plan.Conversations), Written(again.Conversations));
        Assert.Equal(plan.Visits(3).Take(200), again.Visits(3).Take(200));
        Assert.NotEqual(Written(plan.Conversations), Written(SoakPlan.Draw(8, Context).Conversations));
        Assert.Equal((4, 5, 12), (SoakPlan.Draw(7, Context, 1).Conversations.Count, SoakPlan.Draw(7, Context, 20).Conversations.Count, plan.Conversations.Count));
        Assert.NotEqual(plan.Visits(3).Take(200), plan.Visits(4).Take(200));
        Assert.NotEqual(plan.Visits(3).Take(200), SoakPlan.Draw(8, Context).Visits(3).Take(200));
    }

    [Theory]
    [InlineData(256)]
    [InlineData(512)]
    [InlineData(1_024)]
    [InlineData(131_072)]
    public void Every_conversation_fits_the_context_and_every_seed_has_a_long_prompt(int context)
    {
        for (int seed = 0; seed < 100; seed++)
        {
            IReadOnlyList<ConversationShape> conversations = SoakPlan.Draw(seed, context).Conversations;
            Assert.All(conversations, conversation => Assert.InRange(conversation.Positions, 1, context));
            Assert.All(conversations, conversation => Assert.InRange(conversation.Turns.Count, 1, 4));
            Assert.Contains(conversations, conversation => conversation.Turns[0].Prompt >= Math.Min(context, 2_048) * 4 / 10);
        }
    }

    [Fact]
    public void Users_come_to_every_conversation_stay_or_go_and_sometimes_wait()
    {
        SoakPlan plan = SoakPlan.Draw(1, Context);
        SoakVisit[] visits = [.. plan.Visits(0).Take(1_000)];
        Assert.Equal(plan.Conversations.Count, visits.Select(visit => visit.Conversation).Distinct().Count());
        Assert.All(visits, visit => Assert.InRange(visit.Leaves ?? 0, 0, plan.Conversations[visit.Conversation].Turns.Count - 1));
        Assert.All(visits, visit => Assert.True(visit.LeavesAfter > 0));
        Assert.InRange(visits.Count(visit => visit.Leaves is not null), 1, 500);
        Assert.InRange(visits.Count(visit => visit.Pause == TimeSpan.Zero), 1, 999);
        Assert.Contains(plan.Conversations, conversation => conversation.Turns.Count > 1);
    }

    [Fact]
    public void An_answer_is_its_twins_or_the_beginning_of_it_or_not()
    {
        Assert.Equal(SoakOutcome.Answered, s_turn.Judge(Answer("one two three", 5)));
        Assert.Equal(SoakOutcome.Different, s_turn.Judge(Answer("one two", 5)));
        Assert.Equal(SoakOutcome.Different, s_turn.Judge(Answer("one two three", 4)));
        Assert.Equal(SoakOutcome.Cancelled, s_turn.Judge(Answer("one tw", 0, left: true)));
        Assert.Equal(SoakOutcome.Different, s_turn.Judge(Answer("one 2", 0, left: true)));
        Assert.Equal(SoakOutcome.Refused, s_turn.Judge(Answer("", 0, 429, "too many")));
        Assert.Equal(SoakOutcome.Refused, s_turn.Judge(Answer("", 0, 503, "full")));
        Assert.Equal(SoakOutcome.Failed, s_turn.Judge(Answer("", 0, 500, "a fault")));
        Assert.Equal(SoakOutcome.Failed, s_turn.Judge(Answer("one two", 0, 200, "it broke off")));
        Assert.Equal("conversation 1, turn 1: at character 4 '2' (3 tokens) in place of 'two three' (5 tokens)", s_turn.Difference(Answer("one 2", 3)));
    }

    [Fact]
    public void Outcomes_and_stalls_are_counted()
    {
        SoakTally tally = new();
        BenchAnswer slow = Answer("one two three", 5);
        slow.Arrivals.AddRange([Milliseconds(10), Milliseconds(40), Milliseconds(1_540)]);
        tally.Add(s_turn, slow);
        tally.Add(s_turn, Answer("x", 1));
        tally.Add(s_turn, Answer("", 0, 500, "a fault"));
        tally.AddInterrupted();

        SoakCounts counts = tally.Counts;
        Assert.Equal((4, 1, 1, 0, 1, 1), (counts.Sent, counts.Answered, counts.Cancelled, counts.Refused, counts.Failed, counts.Different));
        Assert.Equal((1_500.0, 1, 10.0), (counts.LongestStallMilliseconds, counts.Stalls, counts.LongestFirstTokenMilliseconds));
        Assert.Equal(2, tally.Examples.Count);
    }

    [Fact]
    public void What_held_ends_with_0_and_what_did_not_with_1_and_a_reason()
    {
        SoakResult good = Result(new SoakCounts { Sent = 3, Answered = 1, Cancelled = 1, Refused = 1 }, new ShardRoom("shard-1", true, 0, 0, 0, 4_096));
        Assert.Empty(good.Problems);
        Assert.Equal(ExitCode.Success, Report(good).Exit);

        (SoakResult Result, string Reason)[] bad =
        [
            (good with { Requests = new SoakCounts { Sent = 2, Answered = 1, Different = 1 } }, "1 of 2 answers differ"),
            (good with { Requests = new SoakCounts { Sent = 2, Answered = 1, Failed = 1 } }, "1 of 2 requests failed"),
            (good with { Requests = new SoakCounts { Sent = 1, Refused = 1 } }, "Nothing was answered"),
            (good with { Kv = [new ShardRoom("shard-2", true, 0, 0, 64, 0)] }, "shard-2 still holds 64 bytes"),
            (good with { Kv = [new ShardRoom("shard-2", true, 1, 0, 0, 0)] }, "for 1 sessions"),
            (good with { Kv = [new ShardRoom("shard-2", false, 0, 0, 0, 0)] }, "shard-2 does not say"),
            (good with { Deaths = ["shard-1 ended with exit code 139"] }, "exit code 139"),
        ];
        Assert.All(bad, broken =>
        {
            (int exit, string error) = Report(broken.Result);
            Assert.Equal(ExitCode.Failure, exit);
            Assert.Contains(broken.Reason, error, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Interrupted_it_reports_what_was_seen_and_blames_no_node_that_the_same_signal_ended()
    {
        SoakResult interrupted = Result(new SoakCounts { Sent = 1, Cancelled = 1 }, new ShardRoom("shard-1", false, 0, 0, 0, 0)) with
        {
            Interrupted = true,
            Deaths = ["shard-1 ended with exit code 0"],
        };
        Assert.Equal(ExitCode.Interrupted, Report(interrupted).Exit);
        Assert.Equal(ExitCode.Failure, Report(interrupted with { Requests = new SoakCounts { Sent = 1, Different = 1 } }).Exit);
        Assert.Equal(ExitCode.Failure, Report(interrupted with { Kv = [new ShardRoom("shard-1", true, 0, 0, 64, 0)] }).Exit);
    }

    [Fact]
    public void For_programs_the_verdict_is_JSON()
    {
        using TestTerminal terminal = new();
        BenchSoakCommand.Report(terminal.Context, Result(new SoakCounts { Sent = 1, Different = 1 }, new ShardRoom("shard-1", true, 0, 0, 0, 7)), json: true);
        JsonElement json = JsonDocument.Parse(terminal.Output).RootElement;
        Assert.False(json.GetProperty("passed").GetBoolean());
        Assert.Single(json.GetProperty("problems").EnumerateArray());
        Assert.Equal(1, json.GetProperty("requests").GetProperty("different").GetInt32());
        Assert.Equal(7, json.GetProperty("kv")[0].GetProperty("kv_cached_bytes").GetInt64());
        Assert.Equal((100, 120), (json.GetProperty("processes")[0].GetProperty("memory_start_bytes").GetInt64(), json.GetProperty("processes")[0].GetProperty("memory_end_bytes").GetInt64()));
    }

    private static (int Exit, string Error) Report(SoakResult result)
    {
        using TestTerminal terminal = new();
        int exit = BenchSoakCommand.Report(terminal.Context, result, json: false);
        Assert.Contains("longest stall", terminal.Output, StringComparison.Ordinal);
        return (exit, terminal.Error);
    }

    private static SoakResult Result(SoakCounts requests, ShardRoom shard) => new()
    {
        Model = "demo",
        Weights = "Q8_0",
        Shards = 2,
        Replicas = 1,
        Users = 4,
        Seed = 1,
        Shapes = 20,
        Seconds = 60,
        Interrupted = false,
        Requests = requests,
        Processes = [new ProcessMemory("api", 100, 120), new ProcessMemory("shard-1", 100, null)],
        Kv = [shard],
        Deaths = [],
        Examples = ["an example"],
    };

    private static BenchAnswer Answer(string text, int tokens, int status = 200, string? problem = null, bool left = false) =>
        new() { Started = 0, Text = new StringBuilder(text), Tokens = tokens, Status = status, Problem = problem, IsLeft = left };

    private static long Milliseconds(int milliseconds) => milliseconds * System.Diagnostics.Stopwatch.Frequency / 1_000;

    private static string Written(IReadOnlyList<ConversationShape> conversations) => JsonSerializer.Serialize(conversations);
}
