using System.Collections.Concurrent;
using Google.Protobuf;
using Grpc.Core;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>The one shard of a network: opens every session at once, and gives tokens on the thread that feeds them, as a link does on the one that reads.</summary>
internal sealed class FeedingShard : Shard.ShardClient, IShardDialer
{
    private readonly Controls _controls = new();
    private readonly ControlEvent _event = new() { Token = new TokenSampled() };

    /// <summary>Sessions whose prompt has come, and the position of their first token.</summary>
    public BlockingCollection<(ByteString Session, uint Position)> Prompted { get; } = [];

    public Shard.ShardClient Dial(string nodeId, string endpoint) => this;

    public override AsyncDuplexStreamingCall<ControlRequest, ControlEvent> Control(CallOptions options) => Call(_controls, _controls);

    public override AsyncDuplexStreamingCall<StepFrame, StepRefused> Steps(CallOptions options) => Call(new Frames(this), new Silence());

    /// <summary>Says that a token was sampled.</summary>
    public void Feed(ByteString session, uint position, int token, bool last)
    {
        TokenSampled sampled = _event.Token;
        (sampled.SessionId, sampled.Position, sampled.Token, sampled.Last) = (session, position, (uint)token, last);
        _controls.Take(_event);
    }

    private static AsyncDuplexStreamingCall<TRequest, TResponse> Call<TRequest, TResponse>(IClientStreamWriter<TRequest> requests, IAsyncStreamReader<TResponse> responses) =>
        new(requests, responses, Task.FromResult(new Metadata()), () => Status.DefaultSuccess, () => [], () => { });

    private abstract class Writer<T> : IClientStreamWriter<T>
    {
        public WriteOptions? WriteOptions { get; set; }

        public Task CompleteAsync() => Task.CompletedTask;

        // Not at once: a link writes before it reads, and the answer would wait for its reader.
        public async Task WriteAsync(T message)
        {
            await Task.Yield();
            Take(message);
        }

        public Task WriteAsync(T message, CancellationToken cancellationToken) => WriteAsync(message);

        protected abstract void Take(T message);
    }

    private sealed class Controls : Writer<ControlRequest>, IAsyncStreamReader<ControlEvent>, IMessageLoop<ControlEvent>
    {
        private Func<ControlEvent, ValueTask>? _take;

        public ControlEvent Current => throw new NotSupportedException();

        public Task<bool> MoveNext(CancellationToken cancellationToken) => throw new NotSupportedException();

        public Task ForEachAsync(Func<ControlEvent, ValueTask> take, CancellationToken cancellationToken)
        {
            _take = take;
            return Task.Delay(Timeout.Infinite, cancellationToken);
        }

        public void Take(ControlEvent message)
        {
            if (_take is null) SpinWait.SpinUntil(() => _take is not null);
            _ = _take!(message);
        }

        protected override void Take(ControlRequest message)
        {
            if (message.Open is { } open) Take(new ControlEvent { Opened = new SessionOpened { SessionId = open.SessionId } });
            if (message.Ping is { } ping) Take(new ControlEvent { Pong = new Pong { Nonce = ping.Nonce } });
        }
    }

    private sealed class Frames(FeedingShard shard) : Writer<StepFrame>
    {
        protected override void Take(StepFrame message)
        {
            if (message.Sample) shard.Prompted.Add((message.SessionId, message.KvLength + message.Rows));
        }
    }

    private sealed class Silence : IAsyncStreamReader<StepRefused>
    {
        public StepRefused Current => throw new NotSupportedException();

        public async Task<bool> MoveNext(CancellationToken cancellationToken)
        {
            await Task.Delay(Timeout.Infinite, cancellationToken).ConfigureAwait(false);
            return false;
        }
    }
}
