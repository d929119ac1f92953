using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Steps;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>The steps that run as one batch, gathered turn by turn from the sessions in line. Belongs to the step loop.</summary>
/// <remarks>
/// Every decode step that is ready runs in the next turn, as far as a turn has places; prompts get the rows that the budget leaves them, so a long
/// prompt makes somebody else's next token wait for one such chunk and no more.
/// </remarks>
/// <param name="shape">The model's dimensions.</param>
/// <param name="results">Where steps' results are kept.</param>
/// <param name="line">Who is next.</param>
/// <param name="gate">Whether steps wait for others.</param>
/// <param name="budget">Prompt rows a turn.</param>
/// <param name="mostSteps">Sessions a turn.</param>
/// <param name="time">The clock by which sessions decode, or have stopped to.</param>
internal sealed class StepBatch(ModelShape shape, StepResultPool results, ReadyLine line, StepGate gate, RowBudget budget, int mostSteps, TimeProvider time)
{
    // Whoever decodes slower than this does not notice a turn more.
    private static readonly TimeSpan s_decodePause = TimeSpan.FromSeconds(1);

    private readonly List<BatchSlot> _slots = [];
    private readonly BlockStep[] _steps = new BlockStep[mostSteps];
    private long _lastStep;
    private bool _hasDecoded;
    private ulong _turn;

    /// <summary>Sessions in this turn's batch.</summary>
    public int Count { get; private set; }

    /// <summary>Rows in this turn's batch.</summary>
    public int Rows { get; private set; }

    /// <summary>Decode steps in this turn's batch; the others are parts of prompts.</summary>
    public int DecodeSteps { get; private set; }

    /// <summary>Whether the batch holds one-row steps only.</summary>
    public bool IsDecode => Rows == Count;

    /// <summary>What to run.</summary>
    public ReadOnlySpan<BlockStep> Steps => _steps.AsSpan(0, Count);

    /// <summary>One session's place in this turn's batch.</summary>
    public BatchSlot this[int index] => _slots[index];

    /// <summary>Whether something is in line that may run now.</summary>
    public bool MayRun()
    {
        line.Resume();
        return gate.Opens(line) && !line.IsEmpty;
    }

    /// <summary>Makes the next batch of what <see cref="MayRun"/>, and what has come since; false when nothing can run.</summary>
    public bool Gather()
    {
        Count = 0;
        Rows = 0;
        DecodeSteps = 0;
        _turn++;
        GatherSteps();
        GatherPrompts();
        return Count > 0;
    }

    /// <summary>Leaves out sessions that have been closed since the batch was made.</summary>
    public void DropClosed()
    {
        int count = 0;
        int steps = DecodeSteps;
        for (int i = 0; i < Count; i++)
        {
            BatchSlot slot = _slots[i];
            if (slot.Session.IsClosed)
            {
                if (i < steps) DecodeSteps--;
                Rows -= slot.Rows;
                slot.Session = null!;
                _steps[i] = null!;
                continue;
            }

            if (count < i)
            {
                // A slot's buffers stay with the step that was filled from them.
                (_slots[count], _slots[i]) = (slot, _slots[count]);
                _steps[count] = _steps[i];
                _steps[i] = null!;
            }

            count++;
        }

        Count = count;
    }

    /// <summary>Lets go of the sessions of the last batch.</summary>
    public void Clear()
    {
        for (int i = 0; i < Count; i++)
        {
            _slots[i].Session = null!;
            _steps[i] = null!;
        }

        Count = 0;
    }

    private void GatherSteps()
    {
        // A place is kept for a prompt, or sessions without end would keep it from ever being computed.
        int places = Math.Min(gate.Most, line.Prompts > 0 ? mostSteps - 1 : mostSteps);
        while (Count < places && line.TryTakeStep(out ShardSession session))
        {
            Add(session, 1, isLastTurn: true);
        }

        DecodeSteps = Count;
        if (Count == 0) return;

        _lastStep = time.GetTimestamp();
        _hasDecoded = true;
    }

    private void GatherPrompts()
    {
        int prompts = line.Prompts;
        if (prompts == 0) return;

        bool othersDecode = DecodeSteps > 0 || (_hasDecoded && time.GetElapsedTime(_lastStep) < s_decodePause);
        int rowsLeft = budget.Rows(DecodeSteps, othersDecode, prompts);
        while (rowsLeft > 0 && Count < mostSteps && line.TryTakePrompt(out ShardSession session))
        {
            if (!HasRoom(session)) continue;

            int left = session.RowsLeft;
            int rows = Math.Min(left, rowsLeft);
            rowsLeft -= rows;
            line.Charge(session, rows);
            Add(session, rows, rows == left);
        }
    }

    // A slow neighbour holds back the prompts that go to it, not this process' memory up. A step of one row is small, and has a lane of its own.
    private bool HasRoom(ShardSession session)
    {
        if (session.HasRoomAhead) return true;

        line.HoldBack(session);
        return false;
    }

    private void Add(ShardSession session, int rows, bool isLastTurn)
    {
        if (_slots.Count == Count) _slots.Add(new BatchSlot());
        BatchSlot slot = _slots[Count];
        slot.Session = session;
        slot.Rows = rows;
        slot.IsLastTurn = isLastTurn;
        session.RanInTurn = _turn;

        StepFrame frame = session.Waiting.Peek().Frame;
        session.Filling ??= results.Rent(ResultBytes(session, frame));
        session.Spans.OnStepStarted();

        BlockStep step = session.Step;
        step.Rows = rows;
        step.Tokens = default;
        step.Input = default;
        if (frame.InputCase == StepFrame.InputOneofCase.Tokens)
        {
            Memory<int> tokens = slot.Tokens(rows);
            HiddenCodec.DecodeTokens(frame.Tokens.Span[(session.RowsDone * sizeof(int))..], tokens.Span);
            step.Tokens = tokens;
        }
        else
        {
            int rowBytes = shape.Width * HiddenCodec.BytesPerNumber(session.Format);
            Memory<float> input = slot.Input(rows * shape.Width);
            HiddenCodec.Decode(frame.Hidden.Span.Slice(session.RowsDone * rowBytes, rows * rowBytes), session.Format, input.Span);
            step.Input = input;
        }

        step.Output = session.IsLast ? default : slot.Output(rows * shape.Width);
        step.Logits = session.IsLast && frame.Sample && isLastTurn ? slot.Logits(shape.VocabularySize) : default;
        _steps[Count++] = step;
        Rows += rows;
    }

    private int ResultBytes(ShardSession session, StepFrame frame) => session.IsLast
        ? (frame.Sample ? sizeof(int) : 0)
        : checked((int)frame.Rows * shape.Width * HiddenCodec.BytesPerNumber(session.Format));
}
