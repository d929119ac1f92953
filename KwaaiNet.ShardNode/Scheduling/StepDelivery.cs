using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Steps;
using KwaaiNet.ShardNode.Telemetry;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>What happens to a step that has run: on to the next shard, or drawn, told to the owner and sent round the ring. Belongs to the step loop.</summary>
internal sealed class StepDelivery(ModelShape shape, ISampler sampler, SessionTable sessions, ReadyLine line, ShardTelemetry telemetry)
{
    private readonly TokenLogprobs _logprobs = new();

    /// <summary>Takes the rows of this turn; when they were the step's last, hands the result on.</summary>
    public void Deliver(BatchSlot slot)
    {
        ShardSession session = slot.Session;
        StepFrame frame = session.Waiting.Peek().Frame;
        if (!session.IsLast)
        {
            int rowBytes = shape.Width * HiddenCodec.BytesPerNumber(session.Format);
            Span<byte> payload = session.Filling!.Payload.Slice(session.RowsDone * rowBytes, slot.Rows * rowBytes);
            HiddenCodec.Encode(session.Step.Output.Span, session.Format, payload);
        }

        session.RowsDone += slot.Rows;
        if (slot.IsLastTurn) Finish(session, frame);
        line.Enqueue(session);
    }

    /// <summary>Sends a kept result once more.</summary>
    public void Repeat(ShardSession session)
    {
        StepResult kept = session.Kept!;
        if (kept.Frame is not null) Send(session, kept);
        if (kept.Sampled is not null) session.Owner.Post(kept);
    }

    private void Finish(ShardSession session, StepFrame frame)
    {
        IncomingStep done = session.Waiting.Dequeue();
        sessions.WaitingSteps--;
        session.RowsDone = 0;
        session.DoneSteps++;
        session.Spans.OnStepDone((int)frame.Rows, frame.Sample);

        StepResult? before = session.Kept;
        StepResult result = session.Filling!;
        session.Kept = result;
        session.Filling = null;
        try
        {
            if (!session.IsLast) SendOn(session, frame, result);
            else if (frame.Sample) Draw(session, frame, result);
        }
        finally
        {
            // Last: the frame lies in buffers that are used again after this, its stream's or those of the result before.
            before?.Release();
            done.Stream?.FreeSlots(done.Frame);
        }
    }

    private void SendOn(ShardSession session, StepFrame frame, StepResult result)
    {
        StepFrame on = result.Wrap(isHidden: true);
        on.SessionId = session.WireId;
        on.Step = frame.Step;
        on.KvLength = frame.KvLength;
        on.Rows = frame.Rows;
        on.FirstBlock = (uint)session.Range.End;
        on.Sample = frame.Sample;
        result.SetFrame();
        // Behind a step that drew, one of a single row is the answer's next: that token has been all round, so nothing of the session can be overtaken.
        result.IsDecode = session.HasDrawn && frame.Rows == 1;
        session.HasDrawn = frame.Sample;
        on.Acknowledge = !result.IsDecode;
        if (on.Acknowledge) session.PromptsAhead++;
        Send(session, result);
    }

    private void Draw(ShardSession session, StepFrame frame, StepResult result)
    {
        KvCache cache = session.Cache;
        if (session.History is { } known && known.Next != cache.Length)
        {
            sessions.Fail(session, new Refusal(
                FailureCode.BadFrame, $"A token was to be drawn for position {cache.Length}; the history its penalties need goes on at {known.Next}."));
            return;
        }

        TokenHistory history = session.History is null ? default : session.History.View;
        int token = sampler.Sample(session.Step.Logits.Span, session.Sampling, cache.Length - 1, history, _logprobs);
        session.History?.Add(token);
        session.SampledTokens++;
        bool isLast = session.EndTokens.Contains(token)
            || session.SampledTokens >= session.MaxNewTokens
            || cache.Length >= session.Need.Most;
        TokenSampled sampled = result.SetSampled();
        sampled.SessionId = session.WireId;
        sampled.Step = frame.Step;
        sampled.Position = (uint)cache.Length;
        sampled.Token = (uint)token;
        sampled.Last = isLast;
        sampled.Logprobs = session.Sampling.TopLogprobs is null ? null : LogprobMessages.Write(_logprobs);

        // The ring first: the chain's next step starts while the owner still reads.
        if (!isLast) SendRound(session, frame, result, token);
        session.Owner.Post(result);
    }

    private void SendRound(ShardSession session, StepFrame frame, StepResult result, int token)
    {
        BinaryPrimitives.WriteInt32LittleEndian(result.Payload, token);
        StepFrame next = result.Wrap(isHidden: false);
        next.SessionId = session.WireId;
        next.Step = frame.Step + 1;
        next.KvLength = (uint)session.Cache.Length;
        next.Rows = 1;
        next.FirstBlock = 0;
        next.Sample = true;
        next.Acknowledge = false;
        if (session.Ring is not null)
        {
            result.SetFrame();
            result.IsDecode = true;
            Send(session, result);
            return;
        }

        // The ring ends where it starts: the whole model is here. The result's buffer is replaced only after this next step is done.
        // A source that sent this very step itself is no different from one that sent it twice.
        if (session.TakenSteps != next.Step) return;

        session.TakenSteps++;
        session.TakenPositions++;
        session.Waiting.Enqueue(new IncomingStep(next, null));
        sessions.WaitingSteps++;
    }

    private void Send(ShardSession session, StepResult result)
    {
        telemetry.HopBytes.Add(result.PayloadBytes);
        (session.Next ?? session.Ring)!.Send(result);
    }
}
