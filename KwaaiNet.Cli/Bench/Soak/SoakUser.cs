using KwaaiNet.Cli.Bench.Network;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>Somebody who has one conversation of the plan after the other.</summary>
/// <param name="visits">What this user does.</param>
/// <param name="conversations">All there is to ask, with the twins' answers.</param>
/// <param name="client">Asks, and keeps text.</param>
/// <param name="clock">The clock.</param>
internal sealed class SoakUser(IEnumerable<SoakVisit> visits, IReadOnlyList<IReadOnlyList<SoakTurn>> conversations, BenchClient client, TimeProvider clock)
{
    // Before one counts as failed, and so that a network that is down is not asked a thousand times a second. Nodes hear a terminal's Ctrl-C too, perhaps sooner than this command.
    private static readonly TimeSpan s_afterProblem = TimeSpan.FromMilliseconds(500);

    /// <summary>Asks for as long as it may.</summary>
    /// <param name="mayAsk">Asked before every request.</param>
    /// <param name="tally">Told what became of it.</param>
    /// <param name="cancellationToken">Ctrl-C: ends the request that is under way.</param>
    public async Task RunAsync(Func<bool> mayAsk, SoakTally tally, CancellationToken cancellationToken)
    {
        foreach (SoakVisit visit in visits)
        {
            if (visit.Pause > TimeSpan.Zero) await Task.Delay(visit.Pause, clock, cancellationToken).ConfigureAwait(false);
            IReadOnlyList<SoakTurn> turns = conversations[visit.Conversation];
            for (int turn = 0; turn < turns.Count; turn++)
            {
                if (!mayAsk()) return;
                Func<BenchAnswer, bool>? stays = turn == visit.Leaves ? answer => answer.Arrivals.Count < visit.LeavesAfter : null;
                BenchAnswer answer = await AskAsync(turns[turn], stays, tally, cancellationToken).ConfigureAwait(false);
                if (answer.IsLeft || answer.Problem is not null) break;
            }
        }
    }

    private async Task<BenchAnswer> AskAsync(SoakTurn turn, Func<BenchAnswer, bool>? stays, SoakTally tally, CancellationToken cancellationToken)
    {
        try
        {
            BenchAnswer answer = await client.AskAsync(turn.Question, cancellationToken, stays).ConfigureAwait(false);
            if (answer.Problem is not null) await Task.Delay(s_afterProblem, clock, cancellationToken).ConfigureAwait(false);
            tally.Add(turn, answer);
            return answer;
        }
        catch (OperationCanceledException)
        {
            tally.AddInterrupted();
            throw;
        }
    }
}
