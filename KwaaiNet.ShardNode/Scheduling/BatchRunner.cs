using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Sessions;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>Runs a batch on the blocks: together, or its steps one by one where one of them does not fit. Belongs to the step loop.</summary>
/// <param name="stack">The blocks.</param>
/// <param name="batch">What is run.</param>
/// <param name="sessions">Whose steps they are.</param>
/// <param name="logger">For what went wrong.</param>
internal sealed partial class BatchRunner(IBlockStack stack, StepBatch batch, SessionTable sessions, ILogger logger)
{
    /// <summary>What the device said when it failed; null as long as it has not. Nothing is run on it any more.</summary>
    public string? DeviceFailure { get; private set; }

    /// <summary>Runs the batch; false when it did not run as one.</summary>
    public bool TryRun()
    {
        try
        {
            stack.Run(batch.Steps);
            return true;
        }
        catch (ComputeException failure)
        {
            LoseDevice(failure);
        }
        catch (Exception refused) when (refused is not OutOfMemoryException)
        {
            // Nothing ran: one step did not fit, and the others must not suffer for it.
            LogBatchRefused(refused);
            RunOneByOne();
        }

        return false;
    }

    private void RunOneByOne()
    {
        for (int i = 0; i < batch.Count && DeviceFailure is null; i++)
        {
            try
            {
                stack.Run(batch.Steps.Slice(i, 1));
            }
            catch (ComputeException failure)
            {
                LoseDevice(failure);
            }
            catch (Exception refused) when (refused is not OutOfMemoryException)
            {
                FailureCode code = refused is KvExhaustedException ? FailureCode.KvExhausted : FailureCode.ComputeFailed;
                sessions.Fail(batch[i].Session, new Refusal(code, refused.Message));
            }
        }
    }

    private void LoseDevice(ComputeException failure)
    {
        LogDeviceLost(failure);
        DeviceFailure = failure.Message;
    }

    [LoggerMessage(LogLevel.Error, "The device failed; all sessions of these blocks end.")]
    private partial void LogDeviceLost(Exception failure);

    [LoggerMessage(LogLevel.Warning, "A batch was refused; its steps run one by one.")]
    private partial void LogBatchRefused(Exception refused);
}
