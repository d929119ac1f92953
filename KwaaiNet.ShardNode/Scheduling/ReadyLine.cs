using KwaaiNet.ShardNode.Sessions;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>The sessions with work, and whose turn it is: owners first, then their sessions. Belongs to the step loop.</summary>
/// <remarks>
/// Decode steps are taken one from each owner in turn, so that an owner of many sessions only fills what the others leave. Prompt rows go to the
/// owner that has had the fewest (start-time fair queueing; Goyal, Vin, Cheng 1996); among an owner's prompts the first goes on for
/// <see cref="TurnRows"/> rows and then stands behind the others: short prompts are done in the order they came, long ones do not hold them up.
/// </remarks>
/// <param name="turnRows">Rows a prompt may have before its owner's next one goes on.</param>
internal sealed class ReadyLine(int turnRows)
{
    private readonly Queue<OwnerShare> _steps = new();
    private readonly List<OwnerShare> _prompts = [];
    private readonly List<ShardSession> _heldBack = [];
    private long _clock;

    /// <summary>Rows a prompt may have before its owner's next one goes on.</summary>
    public int TurnRows => turnRows;

    /// <summary>Whether nobody is in line.</summary>
    public bool IsEmpty => _steps.Count == 0 && _prompts.Count == 0;

    /// <summary>Decode steps in line.</summary>
    public int Steps
    {
        get
        {
            int count = 0;
            foreach (OwnerShare share in _steps) count += share.Steps.Count;
            return count;
        }
    }

    /// <summary>Prompts in line.</summary>
    public int Prompts
    {
        get
        {
            int count = 0;
            foreach (OwnerShare share in _prompts) count += share.PromptsInLine;
            return count;
        }
    }

    /// <summary>Puts a session with waiting steps in line, unless it stands there.</summary>
    public void Enqueue(ShardSession session)
    {
        if (session.InLine || session.IsClosed || session.Waiting.Count == 0) return;

        session.InLine = true;
        OwnerShare share = session.Share;
        if (session.NextIsStep)
        {
            share.Steps.Enqueue(session);
            if (share.InStepLine) return;

            share.InStepLine = true;
            _steps.Enqueue(share);
            return;
        }

        if (share.Current == session) share.CurrentInLine = true;
        else share.Prompts.Enqueue(session);
        if (share.InPromptLine) return;

        share.InPromptLine = true;
        share.RowsTaken = Math.Max(share.RowsTaken, _clock);
        _prompts.Add(share);
    }

    /// <summary>Puts a session that cannot go on now aside, until <see cref="Resume"/>.</summary>
    public void HoldBack(ShardSession session) => _heldBack.Add(session);

    /// <summary>Puts the sessions that could not go on in line again.</summary>
    public void Resume()
    {
        foreach (ShardSession session in _heldBack) Enqueue(session);
        _heldBack.Clear();
    }

    /// <summary>The session whose decode step is next; it stays in line.</summary>
    public bool TryPeekStep(out ShardSession session)
    {
        foreach (OwnerShare share in _steps)
        {
            if (share.Steps.TryPeek(out session!)) return true;
        }

        session = null!;
        return false;
    }

    /// <summary>The next session with a decode step.</summary>
    public bool TryTakeStep(out ShardSession session)
    {
        while (_steps.TryDequeue(out OwnerShare? share))
        {
            bool any = share.Steps.TryDequeue(out ShardSession? next);
            if (share.Steps.Count > 0) _steps.Enqueue(share);
            else share.InStepLine = false;
            if (!any) continue;

            session = next!;
            session.InLine = false;
            return true;
        }

        session = null!;
        return false;
    }

    /// <summary>The next session with a prompt; <see cref="Charge"/> says how many rows it got.</summary>
    public bool TryTakePrompt(out ShardSession session)
    {
        while (_prompts.Count > 0)
        {
            int least = 0;
            for (int i = 1; i < _prompts.Count; i++)
            {
                if (_prompts[i].RowsTaken < _prompts[least].RowsTaken) least = i;
            }

            OwnerShare share = _prompts[least];
            ShardSession? next = Next(share);
            if (share.PromptsInLine == 0)
            {
                _prompts.RemoveAt(least);
                share.InPromptLine = false;
            }

            if (next is null) continue;

            _clock = Math.Max(_clock, share.RowsTaken);
            session = next;
            session.InLine = false;
            return true;
        }

        session = null!;
        return false;
    }

    /// <summary>Notes the rows that a prompt got.</summary>
    public void Charge(ShardSession session, int rows)
    {
        OwnerShare share = session.Share;
        share.RowsTaken += rows;
        share.CurrentRows += rows;
        if (share.CurrentRows >= turnRows) share.Current = null;
    }

    private static ShardSession? Next(OwnerShare share)
    {
        if (share.CurrentInLine)
        {
            share.CurrentInLine = false;
            return share.Current;
        }

        if (!share.Prompts.TryDequeue(out ShardSession? next)) return null;

        share.Current = next;
        share.CurrentRows = 0;
        return next;
    }
}
