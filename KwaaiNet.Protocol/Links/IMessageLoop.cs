namespace KwaaiNet.Protocol.Links;

/// <summary>A stream that gives its messages without a task for each.</summary>
internal interface IMessageLoop<out T>
{
    /// <summary>See <see cref="MessageStreams.ForEachAsync"/>.</summary>
    Task ForEachAsync(Func<T, ValueTask> take, CancellationToken cancellationToken);
}
