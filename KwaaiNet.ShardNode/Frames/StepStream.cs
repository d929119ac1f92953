using System.Threading.Channels;
using Grpc.Core;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>One incoming Steps stream: the neighbour at its other end, how many of its steps wait here, and the refusals that wait to be written back.</summary>
/// <param name="nodeId">The peer's did:key, from its certificate.</param>
/// <param name="window">Slots for steps that wait here.</param>
internal sealed class StepStream(string nodeId, int window)
{
    private const int MaxWaitingRefusals = 1024;

    private readonly SlotWindow _slots = new(window);

    private readonly Channel<StepRefused> _refusals = Channel.CreateBounded<StepRefused>(
        new BoundedChannelOptions(MaxWaitingRefusals) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>The peer's did:key.</summary>
    public string NodeId { get; } = nodeId;

    /// <summary>Waits until this step may be taken in. One caller at a time: the stream's reader.</summary>
    public Task WaitForSlotsAsync(StepFrame frame, CancellationToken cancellationToken) => _slots.WaitAsync(BytesOf(frame), cancellationToken);

    /// <summary>A step has left: it ran, was refused, or its session ended.</summary>
    public void FreeSlots(StepFrame frame) => _slots.Free(BytesOf(frame));

    /// <summary>Tells the neighbour why its frame was not run.</summary>
    public void Refuse(StepFrame frame, Refusal refusal) => _refusals.Writer.TryWrite(new StepRefused
    {
        SessionId = frame.SessionId.Length <= SessionId.Length ? frame.SessionId : Google.Protobuf.ByteString.Empty,
        Step = frame.Step,
        Code = refusal.Code,
        Message = refusal.Message,
    });

    private static int BytesOf(StepFrame frame) => frame.Hidden.Length + frame.Tokens.Length;

    /// <summary>Ends the stream after the refusals in line have been written.</summary>
    public void Leave() => _refusals.Writer.TryComplete();

    /// <summary>Writes refusals as they come, until <see cref="Leave"/> or cancellation.</summary>
    public async Task WriteToAsync(IServerStreamWriter<StepRefused> stream, CancellationToken cancellationToken)
    {
        await foreach (StepRefused refused in _refusals.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await stream.WriteAsync(refused, cancellationToken).ConfigureAwait(false);
        }
    }
}
