using System.Collections.Concurrent;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>Results no one holds any more, with their buffers. Bounded in number and in bytes a piece, so that one long prompt is not kept for ever.</summary>
internal sealed class StepResultPool
{
    private const int MaxIdle = 256;
    private const int MaxBufferBytes = 1 << 20;

    private readonly ConcurrentBag<StepResult> _idle = [];

    /// <summary>A result with room for a payload, held once by the caller.</summary>
    public StepResult Rent(int payloadBytes)
    {
        StepResult result = _idle.TryTake(out StepResult? idle) ? idle : new StepResult(this);
        result.Begin(payloadBytes);
        return result;
    }

    internal void Return(StepResult result)
    {
        result.Clear();
        if (result.BufferBytes <= MaxBufferBytes && _idle.Count < MaxIdle) _idle.Add(result);
    }
}
