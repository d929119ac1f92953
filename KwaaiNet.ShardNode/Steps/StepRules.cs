using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Sessions;

namespace KwaaiNet.ShardNode.Steps;

/// <summary>Whether a frame fits its session: checked before any of its bytes reach the blocks. Pure.</summary>
internal static class StepRules
{
    /// <summary>Whether the frame is the step the session ran last: it is answered from memory.</summary>
    public static bool IsRepeat(StepFrame frame, ShardSession session) =>
        session.Kept is not null && frame.Step + 1 == session.DoneSteps;

    /// <summary>Whether the frame is a step that already waits: it will be answered when it runs.</summary>
    public static bool IsWaiting(StepFrame frame, ShardSession session) =>
        frame.Step >= session.DoneSteps && frame.Step < session.TakenSteps;

    /// <summary>The first thing wrong with a new step, or null.</summary>
    public static Refusal? Check(StepFrame frame, ShardSession session, ModelShape shape)
    {
        if (frame.Step != session.TakenSteps)
        {
            return new(FailureCode.KvLengthMismatch, $"Step {frame.Step} came where step {session.TakenSteps} fits.");
        }

        // A session that begins with pages it found may begin with fewer of them, where another shard of the chain found fewer: whole pages, once.
        bool beginsEarlier = frame.Step == 0 && frame.KvLength < session.TakenPositions && frame.KvLength % PageHash.Positions == 0;
        if (frame.KvLength != session.TakenPositions && !beginsEarlier)
        {
            return new(FailureCode.KvLengthMismatch, $"Step {frame.Step} expects {frame.KvLength} positions, there are {session.TakenPositions}.");
        }

        if (frame.Rows is 0 or > SessionBounds.MaxStepRows) return new(FailureCode.BadFrame, $"{frame.Rows} rows; a step has 1 to {SessionBounds.MaxStepRows}.");
        long payload = (long)frame.Rows * shape.Width * HiddenCodec.BytesPerNumber(session.Format);
        if (payload > SessionBounds.MaxStepBytes)
        {
            return new(FailureCode.BadFrame, $"{frame.Rows} rows are {payload} bytes of hidden states; a step has at most {SessionBounds.MaxStepBytes}.");
        }

        if (frame.FirstBlock != session.Range.First)
        {
            return new(FailureCode.BadFrame, $"The rows enter at block {frame.FirstBlock}; this session enters here at {session.Range.First}.");
        }

        if (frame.KvLength + frame.Rows > (uint)session.Need.Most)
        {
            return new(FailureCode.ContextExceeded, $"Position {frame.KvLength + frame.Rows} is beyond the {session.Need.Most} asked for.");
        }

        return session.Range.First == 0 ? CheckTokens(frame, shape) : CheckHidden(frame, session, shape);
    }

    private static Refusal? CheckTokens(StepFrame frame, ModelShape shape)
    {
        if (frame.InputCase != StepFrame.InputOneofCase.Tokens) return new(FailureCode.BadFrame, "Block 0 takes tokens.");

        ReadOnlySpan<byte> bytes = frame.Tokens.Span;
        if (bytes.Length != (long)frame.Rows * sizeof(int))
        {
            return new(FailureCode.BadFrame, $"{frame.Rows} tokens are {frame.Rows * sizeof(int)} bytes, not {bytes.Length}.");
        }

        for (int i = 0; i < bytes.Length; i += sizeof(int))
        {
            uint token = BinaryPrimitives.ReadUInt32LittleEndian(bytes[i..]);
            if (token >= (uint)shape.VocabularySize)
            {
                return new(FailureCode.BadFrame, $"Token {token} is outside the vocabulary of {shape.VocabularySize}.");
            }
        }

        return null;
    }

    private static Refusal? CheckHidden(StepFrame frame, ShardSession session, ModelShape shape)
    {
        if (frame.InputCase != StepFrame.InputOneofCase.Hidden) return new(FailureCode.BadFrame, "Blocks after the first take hidden states.");

        ReadOnlySpan<byte> bytes = frame.Hidden.Span;
        long expected = (long)frame.Rows * shape.Width * HiddenCodec.BytesPerNumber(session.Format);
        if (bytes.Length != expected)
        {
            return new(FailureCode.BadFrame, $"{frame.Rows} rows of {shape.Width} {session.Format} are {expected} bytes, not {bytes.Length}.");
        }

        return HiddenCodec.IsFinite(bytes, session.Format)
            ? null
            : new(FailureCode.BadFrame, "A hidden state is not a finite number.");
    }
}
