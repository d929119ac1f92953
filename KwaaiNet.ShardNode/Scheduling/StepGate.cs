using KwaaiNet.ShardNode.Sessions;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>Whether decode steps that are ready run now, or wait a moment for others that are known to be on their way: one batch reads the weights once. Belongs to the step loop.</summary>
/// <remarks>
/// The first shard of chains divides its sessions into groups (<see cref="GroupPacer"/>) and lets a group go when it is complete. The others wait for
/// sessions that ran together with the first one in line the last time they were here, as they come together again: at most half of what running
/// together saves. Sessions of a shard that holds the whole model are never on their way, and a session alone waits for nobody.
/// </remarks>
/// <param name="sessions">The open sessions.</param>
/// <param name="cost">What turns take.</param>
/// <param name="time">The clock of the waiting.</param>
internal sealed class StepGate(SessionTable sessions, TurnCost cost, TimeProvider time)
{
    // Whoever has not been seen for this long is not coming in a moment.
    private static readonly TimeSpan s_absent = TimeSpan.FromSeconds(1);

    private readonly GroupPacer _pacer = new(time);
    private bool _isWaiting;
    private long _since;
    private int _decoding;

    /// <summary>How long the steps in line wait for others at most; zero: they do not.</summary>
    public TimeSpan Wait { get; private set; }

    /// <summary>Steps that may run together now.</summary>
    public int Most { get; private set; }

    /// <summary>Whether what is in line runs now.</summary>
    public bool Opens(ReadyLine line)
    {
        Most = int.MaxValue;
        _decoding = 0;
        TimeSpan bound = Bound(line);
        if (bound <= TimeSpan.Zero)
        {
            Open();
            return true;
        }

        if (!_isWaiting) (_isWaiting, _since) = (true, time.GetTimestamp());
        Wait = bound - time.GetElapsedTime(_since);
        if (Wait > TimeSpan.Zero) return false;

        Open();
        return true;
    }

    /// <summary>Notes what has run.</summary>
    public void Ran(int steps, int promptRows)
    {
        if (_decoding > 0 && steps > 0) _pacer.Add(steps, _decoding, promptRows == 0);
    }

    private void Open() => (_isWaiting, Wait) = (false, TimeSpan.Zero);

    private TimeSpan Bound(ReadyLine line)
    {
        if (!line.TryPeekStep(out ShardSession first) || first.IsWhole) return TimeSpan.Zero;

        int ready = line.Steps;
        int missing;
        if (first.Range.First == 0)
        {
            _decoding = CountDecoding();
            if (line.Prompts > 0 || _decoding < 2) return TimeSpan.Zero;

            int groups = _pacer.Groups(_decoding);
            Most = (_decoding + groups - 1) / groups;
            missing = Most - ready;
            return missing > 0 ? TimeSpan.FromSeconds(cost.Steps(Math.Min(Most, cost.MostSteps))) : TimeSpan.Zero;
        }

        missing = line.Prompts > 0 ? 0 : CountMissing(first.RanInTurn);
        return missing > 0 && ready + missing <= cost.MostSteps
            ? TimeSpan.FromSeconds((cost.Steps(ready) + cost.Steps(missing) - cost.Steps(ready + missing)) / 2)
            : TimeSpan.Zero;
    }

    private int CountDecoding()
    {
        int count = 0;
        foreach (ShardSession session in sessions.All)
        {
            if (session.Decodes && session.Range.First == 0 && !session.IsWhole && IsPresent(session)) count++;
        }

        return count;
    }

    private int CountMissing(ulong turn)
    {
        int count = 0;
        foreach (ShardSession session in sessions.All)
        {
            if (session.Decodes && !session.InLine && session.RanInTurn == turn && IsPresent(session)) count++;
        }

        return count;
    }

    private bool IsPresent(ShardSession session) => time.GetElapsedTime(session.LastActive) < s_absent;
}
