using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Steps;
using KwaaiNet.ShardNode.Telemetry;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>What happens to a step that has come: checked before anything of it reaches the blocks. Belongs to the step loop.</summary>
internal sealed partial class StepIntake(
    ModelShape shape, SessionTable sessions, ReadyLine line, StepDelivery delivery, TimeProvider time, ShardTelemetry telemetry, ILogger logger)
{
    /// <summary>Takes a step in: it waits from now on, is answered from memory, or is refused. Its slot is freed when it is done.</summary>
    public void Take(IncomingStep step)
    {
        ShardSession? session = sessions.Find(step.Frame.SessionId);
        if (session is null)
        {
            Refuse(step, sessions.WasPreempted(step.Frame.SessionId)
                ? new Refusal(FailureCode.Preempted, "The session was preempted.")
                : new Refusal(FailureCode.UnknownSession, "No such session is open here."));
            return;
        }

        // Refused without a word to the owner: a stranger must not be able to end a session.
        if (Array.IndexOf(session.StepSources, step.Stream!.NodeId) < 0)
        {
            Refuse(step, new Refusal(FailureCode.NotAllowed, "Steps of this session are not accepted from this node."));
            return;
        }

        session.LastActive = time.GetTimestamp();
        if (StepRules.IsRepeat(step.Frame, session))
        {
            step.Stream.FreeSlots(step.Frame);
            delivery.Repeat(session);
            return;
        }

        if (StepRules.IsWaiting(step.Frame, session))
        {
            step.Stream.FreeSlots(step.Frame);
            return;
        }

        if (StepRules.Check(step.Frame, session, shape) is { } refusal)
        {
            Refuse(step, refusal);
            sessions.Fail(session, refusal);
            return;
        }

        if (step.Frame.KvLength < session.TakenPositions) sessions.BeginAt(session, (int)step.Frame.KvLength);
        session.Decodes |= step.Frame.Rows == 1 && session.TakenSteps > 0;
        if (session.TakenSteps++ == 0) telemetry.KvReused.Add(step.Frame.KvLength);
        session.TakenPositions += step.Frame.Rows;
        session.Waiting.Enqueue(step);
        sessions.WaitingSteps++;
        line.Enqueue(session);
    }

    /// <summary>Tells the neighbour why its step is not run, and frees its slot.</summary>
    public void Refuse(IncomingStep step, Refusal refusal)
    {
        telemetry.RefusedSteps.Add(1, new KeyValuePair<string, object?>(ShardTelemetry.Attributes.Failure, refusal.Code.ToString()));
        if (step.Stream is null) return;

        LogStepRefused(step.Stream.NodeId, step.Frame.Step, refusal.Code, refusal.Message);
        step.Stream.Refuse(step.Frame, refusal);
        step.Stream.FreeSlots(step.Frame);
    }

    [LoggerMessage(LogLevel.Debug, "Step {Step} from {Source} was refused: {Code}, {Reason}")]
    private partial void LogStepRefused(string source, ulong step, FailureCode code, string reason);
}
