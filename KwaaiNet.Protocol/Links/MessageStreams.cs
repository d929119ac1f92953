using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>Streams read to their end.</summary>
public static class MessageStreams
{
    /// <summary>Gives every message that comes to <paramref name="take"/>, one after the other; done when the stream has ended.</summary>
    /// <remarks>
    /// Over a link <paramref name="take"/> runs on the thread that reads, nothing is allocated for a message, and one in a form of its own
    /// (<see cref="LinkFormat"/>) may be the same object as the one before: who keeps it copies it. A <paramref name="take"/> that waits
    /// holds the peer back, over gRPC as over links.
    /// </remarks>
    /// <exception cref="RpcException">The stream broke, or was cancelled.</exception>
    public static Task ForEachAsync<T>(this IAsyncStreamReader<T> stream, Func<T, ValueTask> take, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(take);
        return stream is IMessageLoop<T> own ? own.ForEachAsync(take, cancellationToken) : LoopAsync(stream, take, cancellationToken);
    }

    private static async Task LoopAsync<T>(IAsyncStreamReader<T> stream, Func<T, ValueTask> take, CancellationToken cancellationToken)
    {
        while (await stream.MoveNext(cancellationToken).ConfigureAwait(false)) await take(stream.Current).ConfigureAwait(false);
    }
}
