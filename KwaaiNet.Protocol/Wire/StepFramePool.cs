namespace KwaaiNet.Protocol.Wire;

/// <summary>Received frames that nobody looks at any more, with their buffers. Safe for concurrent use.</summary>
internal sealed class StepFramePool
{
    private readonly IdlePool<StepFrameBuffers> _idle = new(static buffers => buffers.Payload.Capacity);

    /// <summary>Of all links of the process.</summary>
    public static StepFramePool Shared { get; } = new();

    /// <summary>Buffers for a frame of about so many bytes; they may have to grow.</summary>
    public StepFrameBuffers Rent(int payloadBytes) => (_idle.TryTake(payloadBytes, out StepFrameBuffers? buffers) ? buffers : new StepFrameBuffers(this)).Out();

    /// <summary>Takes buffers back.</summary>
    public void Return(StepFrameBuffers buffers) => _idle.Add(buffers);
}
