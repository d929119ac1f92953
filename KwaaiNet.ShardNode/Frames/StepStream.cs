using System.Threading.Channels;
using Grpc.Core;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>One incoming Steps stream: the neighbour at its other end, how many of its steps wait here, and the answers that wait to be written back.</summary>
/// <param name="nodeId">The peer's did:key, from its certificate.</param>
/// <param name="window">Slots for steps that wait here.</param>
internal sealed class StepStream(string nodeId, int window)
{
    private const int MaxWaitingAnswers = 8192;

    private readonly SlotWindow _slots = new(window);

    private readonly Channel<StepRefused> _answers = Channel.CreateBounded<StepRefused>(
        new BoundedChannelOptions(MaxWaitingAnswers) { SingleReader = true, FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>The peer's did:key.</summary>
    public string NodeId { get; } = nodeId;

    /// <summary>Waits until this step may be taken in. One caller at a time: the stream's reader.</summary>
    public Task WaitForSlotsAsync(StepFrame frame, CancellationToken cancellationToken) => _slots.WaitAsync(BytesOf(frame), cancellationToken);

    /// <summary>A step has left: it ran, was refused, or its session ended. Its bytes are read into anew after this.</summary>
    public void FreeSlots(StepFrame frame)
    {
        int bytes = BytesOf(frame);
        if (frame.Acknowledge) _answers.Writer.TryWrite(Answer(frame));
        frame.Release();
        _slots.Free(bytes);
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

    private static int BytesOf(StepFrame frame) => frame.Hidden.Length + frame.Tokens.Length;

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
