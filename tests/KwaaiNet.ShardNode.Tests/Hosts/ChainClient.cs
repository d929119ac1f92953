using System.Runtime.InteropServices;
using Google.Protobuf;
using Grpc.Core;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>An API node's part: opens a session on every shard of a chain, sends the prompt, reads tokens.</summary>
internal sealed class ChainClient : IAsyncDisposable
{
    private readonly NodeIdentity _identity = NodeIdentity.Create();
    private readonly NodeChannels _channels;
    private readonly Dictionary<string, AsyncDuplexStreamingCall<ControlRequest, ControlEvent>> _controls = [];
    private readonly Dictionary<string, AsyncDuplexStreamingCall<StepFrame, StepRefused>> _steps = [];
    private readonly List<Task> _readers = [];

    public ChainClient() => _channels = new NodeChannels(_identity);

    public string NodeId => _identity.NodeId;

    /// <summary>Events of all control streams, as they come.</summary>
    public EventLog<ControlEvent> Events { get; } = new();

    public string Traceparent { get; init; } = "";

    public EventLog<StepRefused> Refusals { get; } = new();

    public Shard.ShardClient Client(Hop hop) => new(_channels.Get(hop.Endpoint, hop.NodeId));

    /// <summary>Opens one session over hops that hold consecutive ranges, and waits until every shard has it.</summary>
    public async Task<ByteString> OpenAsync(
        string weightsHash, IReadOnlyList<(Hop Hop, BlockRange Range)> chain, uint maxNewTokens = 16, Sampling? sampling = null,
        ByteString? id = null, Action<OpenSession>? change = null)
    {
        id ??= LoopHarness.NewId();
        for (int i = 0; i < chain.Count; i++)
        {
            bool isLast = i == chain.Count - 1;
            OpenSession open = new()
            {
                ProtocolVersion = 1,
                SessionId = id,
                Model = "tiny",
                WeightsHash = weightsHash,
                FirstBlock = (uint)chain[i].Range.First,
                EndBlock = (uint)chain[i].Range.End,
                MaxPositions = 64,
                HiddenFormat = HiddenEncoding.F16,
                Next = isLast ? null : chain[i + 1].Hop.Clone(),
                Ring = isLast && i > 0 ? chain[0].Hop.Clone() : null,
                Traceparent = Traceparent,
                Sampling = isLast ? sampling ?? new Sampling { TopP = 1 } : null,
                MaxNewTokens = isLast ? maxNewTokens : 0,
            };
            open.StepSources.Add(i == 0 ? [NodeId, chain[^1].Hop.NodeId] : [chain[i - 1].Hop.NodeId]);
            change?.Invoke(open);
            await Control(chain[i].Hop).RequestStream.WriteAsync(new ControlRequest { Open = open });
        }

        for (int i = 0; i < chain.Count; i++)
        {
            ControlEvent answer = await Events.NextAsync();
            Assert.True(answer.EventCase == ControlEvent.EventOneofCase.Opened, answer.ToString());
        }

        return id;
    }

    public async Task SendAsync(Hop hop, StepFrame frame)
    {
        if (!_steps.TryGetValue(hop.NodeId, out AsyncDuplexStreamingCall<StepFrame, StepRefused>? call))
        {
            call = Client(hop).Steps(cancellationToken: CancellationToken.None);
            _steps[hop.NodeId] = call;
            _readers.Add(ReadAsync(call.ResponseStream, Refusals));
        }

        await call.RequestStream.WriteAsync(frame);
    }

    /// <summary>Sends a prompt in chunks.</summary>
    public async Task PromptAsync(Hop first, ByteString id, int[] prompt, int chunk = 5)
    {
        ulong step = 0;
        for (int at = 0; at < prompt.Length; at += chunk)
        {
            int[] part = prompt[at..Math.Min(at + chunk, prompt.Length)];
            await SendAsync(first, new StepFrame
            {
                SessionId = id,
                Step = step++,
                KvLength = (uint)at,
                Rows = (uint)part.Length,
                Tokens = ByteString.CopyFrom(MemoryMarshal.AsBytes(part.AsSpan())),
                Sample = at + chunk >= prompt.Length,
            });
        }
    }

    /// <summary>Reads tokens of one session until the last.</summary>
    public async Task<List<int>> TokensAsync()
    {
        List<int> tokens = [];
        while (true)
        {
            ControlEvent message = await Events.NextAsync();
            Assert.True(message.EventCase == ControlEvent.EventOneofCase.Token, message.ToString());
            tokens.Add((int)message.Token.Token);
            if (message.Token.Last) return tokens;
        }
    }

    public async Task PingAsync(Hop hop, ulong nonce) =>
        await Control(hop).RequestStream.WriteAsync(new ControlRequest { Ping = new Ping { Nonce = nonce } });

    public async Task CloseAsync(Hop hop, ByteString id) =>
        await Control(hop).RequestStream.WriteAsync(new ControlRequest { Close = new CloseSession { SessionId = id } });

    /// <summary>The connection breaks: nothing is said any more.</summary>
    public async ValueTask DisposeAsync()
    {
        foreach (AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call in _controls.Values) call.Dispose();
        foreach (AsyncDuplexStreamingCall<StepFrame, StepRefused> call in _steps.Values) call.Dispose();
        await Task.WhenAll(_readers);
        _channels.Dispose();
        _identity.Dispose();
    }

    private static async Task ReadAsync<T>(IAsyncStreamReader<T> stream, EventLog<T> log)
    {
        try
        {
            while (await stream.MoveNext(CancellationToken.None)) await log.WriteAsync(stream.Current);
        }
        catch (RpcException)
        {
            // The stream is over; what matters was read before.
        }
    }

    private AsyncDuplexStreamingCall<ControlRequest, ControlEvent> Control(Hop hop)
    {
        if (_controls.TryGetValue(hop.NodeId, out AsyncDuplexStreamingCall<ControlRequest, ControlEvent>? call)) return call;

        call = Client(hop).Control(cancellationToken: CancellationToken.None);
        _controls[hop.NodeId] = call;
        _readers.Add(ReadAsync(call.ResponseStream, Events));
        return call;
    }
}
