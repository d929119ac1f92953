using System.Threading.Channels;
using Grpc.Core;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>One Control stream: the node at its other end, and the events that wait to be written to it.</summary>
/// <remarks>Safe for concurrent use. Posting never waits: the step loop must not hang on a reader's network.</remarks>
/// <param name="nodeId">The peer's did:key, from its certificate.</param>
/// <param name="inLine">Whether whoever posts writes too: for streams whose writes never wait.</param>
internal sealed class SessionOwner(string nodeId, bool inLine = false)
{
    /// <summary>Events a reader may lag behind before its stream is given up.</summary>
    internal const int MaxWaitingEvents = 65_536;

    private readonly Channel<(ControlEvent Message, StepResult? Held)> _events = Channel.CreateBounded<(ControlEvent, StepResult?)>(
        new BoundedChannelOptions(MaxWaitingEvents) { SingleReader = true, FullMode = BoundedChannelFullMode.Wait, AllowSynchronousContinuations = inLine });

    // Enough for a burst of requests in one turn; what an opening carries counts by its size.
    private const int MaxWaitingCommands = 64;

    private readonly SlotWindow _commands = new(MaxWaitingCommands);

    private readonly TaskCompletionSource _givenUp = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private volatile bool _gone;

    /// <summary>The peer's did:key.</summary>
    public string NodeId { get; } = nodeId;

    /// <summary>Whether the stream has ended; its sessions are closed and no new one is opened for it.</summary>
    public bool IsGone => _gone;

    /// <summary>Done when the peer has stopped reading: its stream must be cut, for a write to it may never end.</summary>
    public Task GivenUp => _givenUp.Task;

    /// <summary>Waits until another command of this stream may be taken in. One caller at a time: the stream's reader.</summary>
    public Task WaitForCommandAsync(int bytes, CancellationToken cancellationToken) => _commands.WaitAsync(bytes, cancellationToken);

    /// <summary>A command has been carried out, or refused.</summary>
    public void FreeCommand(int bytes) => _commands.Free(bytes);

    /// <summary>Puts an event in line; an owner that is gone hears nothing more.</summary>
    public void Post(ControlEvent message) => Post(message, null);

    /// <summary>Puts a result's token in line; takes a hold on the result of its own until it is written.</summary>
    public void Post(StepResult result)
    {
        result.Acquire();
        Post(result.Sampled!, result);
    }

    private void Post(ControlEvent message, StepResult? held)
    {
        if (_events.Writer.TryWrite((message, held))) return;

        held?.Release();
        // A reader that lets this many events pile up has stopped reading: its stream ends, and with it its sessions.
        if (!_gone && _events.Writer.TryComplete()) _givenUp.TrySetResult();
    }

    /// <summary>Ends the stream after what is in line has been written.</summary>
    public void Leave()
    {
        _gone = true;
        _events.Writer.TryComplete();
    }

    /// <summary>Writes events as they come, until <see cref="Leave"/> or cancellation.</summary>
    public async Task WriteToAsync(IServerStreamWriter<ControlEvent> stream, CancellationToken cancellationToken)
    {
        // A wait that could be cancelled would be an object each; completing the line ends it as well.
        await using CancellationTokenRegistration ended = cancellationToken.UnsafeRegister(
            static events => ((ChannelWriter<(ControlEvent, StepResult?)>)events!).TryComplete(), _events.Writer);
        while (await _events.Reader.WaitToReadAsync(CancellationToken.None).ConfigureAwait(false))
        {
            while (_events.Reader.TryRead(out (ControlEvent Message, StepResult? Held) next))
            {
                try
                {
                    await stream.WriteAsync(next.Message, cancellationToken).ConfigureAwait(false);
                }
                finally
                {
                    next.Held?.Release();
                }
            }
        }
    }
}
