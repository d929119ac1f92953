using System.Threading.Channels;
using Grpc.Core;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>One incoming Steps stream: the neighbour at its other end, how many of its steps wait here, and the answers that wait to be written back.</summary>
/// <param name="nodeId">The peer's did:key, from its certificate.</param>
/// <param name="window">Slots for steps that wait here; when none is left the stream is no longer read and HTTP/2 holds the neighbour back.</param>
/// <remarks>A step takes one slot, and one more for every MiB it carries, so that a neighbour cannot fill this node's memory with few large steps.</remarks>
internal sealed class StepStream(string nodeId, int window)
{
    private const int MaxWaitingAnswers = 8192;
    private const int BytesPerSlot = 1 << 20;

    private readonly SemaphoreSlim _slots = new(window);

    private readonly Channel<StepRefused> _answers = Channel.CreateBounded<StepRefused>(
        new BoundedChannelOptions(MaxWaitingAnswers) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>The peer's did:key.</summary>
    public string NodeId { get; } = nodeId;

    /// <summary>Waits until this step may be taken in. One caller at a time: the stream's reader.</summary>
    public async Task WaitForSlotsAsync(StepFrame frame, CancellationToken cancellationToken)
    {
        for (int slots = SlotsOf(frame); slots > 0; slots--) await _slots.WaitAsync(cancellationToken).ConfigureAwait(false);
    }

    /// <summary>A step has left: it ran, was refused, or its session ended. Its bytes are read into anew after this.</summary>
    public void FreeSlots(StepFrame frame)
    {
        int slots = SlotsOf(frame);
        if (frame.Acknowledge) _answers.Writer.TryWrite(Answer(frame));
        frame.Release();
        _slots.Release(slots);
    }

    /// <summary>Tells the neighbour why its frame was not run.</summary>
    public void Refuse(StepFrame frame, Refusal refusal)
    {
        StepRefused refused = Answer(frame);
        refused.Code = refusal.Code;
        refused.Message = refusal.Message;
        _answers.Writer.TryWrite(refused);
    }

    // A copy: the frame's own bytes are read into again.
    private static StepRefused Answer(StepFrame frame) => new()
    {
        SessionId = frame.SessionId.Length <= SessionId.Length ? Google.Protobuf.ByteString.CopyFrom(frame.SessionId.Span) : Google.Protobuf.ByteString.Empty,
        Step = frame.Step,
    };

    // A step that is larger than the whole window waits until it is alone.
    private int SlotsOf(StepFrame frame) => Math.Min(window, 1 + ((frame.Hidden.Length + frame.Tokens.Length) / BytesPerSlot));

    /// <summary>Ends the stream after the answers in line have been written.</summary>
    public void Leave() => _answers.Writer.TryComplete();

    /// <summary>Writes answers as they come, until <see cref="Leave"/> or cancellation.</summary>
    public async Task WriteToAsync(IServerStreamWriter<StepRefused> stream, CancellationToken cancellationToken)
    {
        await foreach (StepRefused answer in _answers.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
        {
            await stream.WriteAsync(answer, cancellationToken).ConfigureAwait(false);
        }
    }
}
