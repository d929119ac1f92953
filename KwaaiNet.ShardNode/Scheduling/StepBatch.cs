using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Steps;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>The line of sessions with work, and the batch made from it turn by turn. Belongs to the step loop.</summary>
/// <remarks>
/// Every decode step that is ready runs in the next turn. Prompts share a bounded number of rows a turn, first come first
/// served and then in rotation, so a long prompt makes somebody else's next token wait for one such chunk and no more.
/// </remarks>
/// <param name="shape">The model's dimensions.</param>
/// <param name="results">Where steps' results are kept.</param>
/// <param name="prefillRows">Prompt rows a turn.</param>
internal sealed class StepBatch(ModelShape shape, StepResultPool results, int prefillRows)
{
    private const int MaxSteps = 256;

    private readonly Queue<ShardSession> _line = new();
    private readonly List<BatchSlot> _slots = [];
    private readonly BlockStep[] _steps = new BlockStep[MaxSteps];

    /// <summary>Steps in this turn's batch.</summary>
    public int Count { get; private set; }

    /// <summary>Rows in this turn's batch.</summary>
    public int Rows { get; private set; }

    /// <summary>Whether the batch holds one-row steps only.</summary>
    public bool IsDecode => Rows == Count;

    /// <summary>What to run.</summary>
    public ReadOnlySpan<BlockStep> Steps => _steps.AsSpan(0, Count);

    /// <summary>One session's place in this turn's batch.</summary>
    public BatchSlot this[int index] => _slots[index];

    /// <summary>Puts a session with waiting steps in line, unless it stands there.</summary>
    public void Enqueue(ShardSession session)
    {
        if (session.InLine || session.IsClosed || session.Waiting.Count == 0) return;

        session.InLine = true;
        _line.Enqueue(session);
    }

    /// <summary>Makes the next batch; false when nothing can run.</summary>
    public bool Gather()
    {
        Count = 0;
        Rows = 0;
        int prefillLeft = prefillRows;
        for (int standing = _line.Count; standing > 0 && Count < MaxSteps; standing--)
        {
            ShardSession session = _line.Dequeue();
            session.InLine = false;
            if (session.IsClosed || session.Waiting.Count == 0) continue;

            int left = (int)session.Waiting.Peek().Frame.Rows - session.RowsDone;
            bool isDecode = left == 1 && session.RowsDone == 0;
            int rows = isDecode ? 1 : Math.Min(left, prefillLeft);
            if (rows == 0 || (!isDecode && !session.HasRoomAhead))
            {
                Enqueue(session);
                continue;
            }

            if (!isDecode) prefillLeft -= rows;
            Add(session, rows, rows == left);
        }

        return Count > 0;
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

    private void Add(ShardSession session, int rows, bool isLastTurn)
    {
        if (_slots.Count == Count) _slots.Add(new BatchSlot());
        BatchSlot slot = _slots[Count];
        slot.Session = session;
        slot.Rows = rows;
        slot.IsLastTurn = isLastTurn;

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
