using System.Threading.Channels;

namespace KwaaiNet.ApiNode.Waiting;

/// <summary>One request's place in line.</summary>
internal sealed class RoomPlace(RoomLine line, RoomLineKey key, long ticket)
{
    // One call at most: whoever is called twice before it tries has nothing more to find.
    private readonly Channel<bool> _calls = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>The line it stands in.</summary>
    public RoomLineKey Key { get; } = key;

    /// <summary>When the request came, beside others.</summary>
    public long Ticket { get; } = ticket;

    /// <summary>Waits until this is the first in line and room may have become free since it last tried.</summary>
    /// <exception cref="TimeoutException">It did not come to that in time.</exception>
    /// <exception cref="OperationCanceledException">The request was cancelled.</exception>
    public Task WaitForTurnAsync(TimeSpan limit, TimeProvider time, CancellationToken cancellationToken) =>
        _calls.Reader.ReadAsync(cancellationToken).AsTask().WaitAsync(limit > TimeSpan.Zero ? limit : TimeSpan.Zero, time, cancellationToken);

    /// <summary>Steps out of line, which calls the next one.</summary>
    /// <param name="isServed">Whether the request found room, and did not give up.</param>
    public void Leave(bool isServed) => line.Leave(this, isServed);

    internal void Call() => _calls.Writer.TryWrite(true);
}
