using Grpc.Core;

namespace KwaaiNet.Protocol.Links;

/// <summary>One direction of a link as gRPC's stream. A write is done when the system has taken it or it waits behind little else.</summary>
internal sealed class LinkWriter<T>(LinkConnection link, Marshaller<T> marshaller) : IClientStreamWriter<T>, IServerStreamWriter<T>
    where T : class
{
    private readonly ILinkCodec<T>? _codec = LinkCodecs.Create<T>();

    /// <inheritdoc/>
    public WriteOptions? WriteOptions { get; set; }

    /// <inheritdoc/>
    public Task WriteAsync(T message)
    {
        if (link.Broken is { } reason) return Task.FromException(new RpcException(new Status(StatusCode.Unavailable, reason)));
        bool flush = WriteOptions is null || (WriteOptions.Flags & WriteFlags.BufferHint) == 0;
        if (_codec is null || !_codec.TrySend(link, message, flush)) link.SendData(marshaller, message, flush);
        return link.WaitForRoomAsync();
    }

    /// <inheritdoc/>
    public Task WriteAsync(T message, CancellationToken cancellationToken)
    {
        Task written = cancellationToken.IsCancellationRequested ? Task.FromCanceled(cancellationToken) : WriteAsync(message);
        return written.IsCompleted ? written : written.WaitAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public Task CompleteAsync()
    {
        link.Send(LinkFrameKind.End, 0, static (_, _) => { });
        return Task.CompletedTask;
    }
}
