using System.Threading.Channels;
using Google.Protobuf;
using Grpc.Core;

namespace KwaaiNet.ShardNode.Tests.Fakes;

/// <summary>What a stream's reader hears, one after the other.</summary>
internal sealed class EventLog<T> : IServerStreamWriter<T>
{
    private readonly Channel<T> _events = Channel.CreateUnbounded<T>();

    public WriteOptions? WriteOptions { get; set; }

    // A copy, as the wire would make one: a message that is written may be used again.
    public Task WriteAsync(T message) => _events.Writer.WriteAsync(message is IDeepCloneable<T> written ? written.Clone() : message).AsTask();

    public async Task<T> NextAsync() =>
        await _events.Reader.ReadAsync(TestContext.Current.CancellationToken).AsTask().WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);

    public bool TryNext(out T? message) => _events.Reader.TryRead(out message);
}
