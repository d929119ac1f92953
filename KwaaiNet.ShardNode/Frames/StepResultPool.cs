using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>Results no one holds any more, with their buffers.</summary>
internal sealed class StepResultPool
{
    private readonly IdlePool<StepResult> _idle = new(static result => result.BufferBytes);

    /// <summary>A result with room for a payload, held once by the caller.</summary>
    public StepResult Rent(int payloadBytes)
    {
        StepResult result = _idle.TryTake(payloadBytes, out StepResult? idle) ? idle : new StepResult(this);
        result.Begin(payloadBytes);
        return result;
    }

    internal void Return(StepResult result)
    {
        result.Clear();
        _idle.Add(result);
    }
}
