using System.Buffers.Binary;
using System.Diagnostics.Metrics;
using System.Runtime.InteropServices;
using Google.Protobuf;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Scheduling;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Telemetry;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace KwaaiNet.ShardNode.Tests.Fakes;

/// <summary>A step loop on fake blocks, with one owner and one step stream, and no network.</summary>
internal sealed class LoopHarness : IAsyncDisposable
{
    public const string Model = "fake";
    public const string Api = "did:key:api";
    public const string Self = "did:key:self";
    public static readonly string Hash = new('a', 64);

    private static readonly ServiceProvider s_services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public LoopHarness(FakeStack? stack = null, int prefillRows = 8, int ttlSeconds = 600, int maxSessions = 64, int maxSteps = 256, int? maxOwnerSessions = null, FakeTimeProvider? time = null)
    {
        Stack = stack ?? new FakeStack();
        Time = time ?? new FakeTimeProvider();
        BlockRange range = new(Stack.Options.FirstBlock, Stack.Options.EndBlock);
        Telemetry = new ShardTelemetry(s_services.GetRequiredService<IMeterFactory>());
        Loop = new StepLoop(
            Stack,
            new OpenedModel(Model, Hash, "F32", Stack.Shape, "fake", "fake", "cpu"),
            new StepLoopOptions(
                new SessionLimits(Self, maxSessions, TimeSpan.FromSeconds(ttlSeconds), maxOwnerSessions), prefillRows, TimeSpan.FromMilliseconds(50), TimeSpan.FromSeconds(10))
            {
                MaxSteps = maxSteps,
            },
            new GreedySampler(),
            _ => Hops,
            Time,
            Telemetry,
            NullLogger.Instance);
        (Owner, Events) = Connect(Api);
        (Stream, Refusals) = ConnectSteps(Api);
    }

    public FakeStack Stack { get; }

    public StepLoop Loop { get; }

    public ShardTelemetry Telemetry { get; }

    public FakeTimeProvider Time { get; }

    public FakeHops Hops { get; } = new();

    public SessionOwner Owner { get; }

    public EventLog<ControlEvent> Events { get; }

    public StepStream Stream { get; }

    public EventLog<StepRefused> Refusals { get; }

    public static (SessionOwner Owner, EventLog<ControlEvent> Events) Connect(string nodeId)
    {
        SessionOwner owner = new(nodeId);
        EventLog<ControlEvent> events = new();
        _ = owner.WriteToAsync(events, CancellationToken.None);
        return (owner, events);
    }

    public static (StepStream Stream, EventLog<StepRefused> Refusals) ConnectSteps(string nodeId, int window = 1024)
    {
        StepStream stream = new(nodeId, window);
        EventLog<StepRefused> refusals = new();
        _ = stream.WriteToAsync(refusals, CancellationToken.None);
        return (stream, refusals);
    }

    public static ByteString NewId() => ByteString.CopyFrom(Guid.NewGuid().ToByteArray());

    public OpenSession OpenRequest(uint maxNewTokens = 8, uint maxPositions = 64)
    {
        bool isLast = Stack.Options.OutputHead;
        OpenSession open = new()
        {
            ProtocolVersion = 1,
            SessionId = NewId(),
            Model = Model,
            WeightsHash = Hash,
            FirstBlock = (uint)Stack.Options.FirstBlock,
            EndBlock = (uint)Stack.Options.EndBlock,
            MaxPositions = maxPositions,
            HiddenFormat = HiddenEncoding.F16,
            StepSources = { Api },
        };
        if (isLast)
        {
            open.Sampling = new Sampling { Temperature = 0, TopP = 1 };
            open.MaxNewTokens = maxNewTokens;
            if (open.FirstBlock != 0) open.Ring = new Hop { NodeId = "did:key:first", Endpoint = "https://127.0.0.1:1" };
        }
        else
        {
            open.Next = new Hop { NodeId = "did:key:next", Endpoint = "https://127.0.0.1:2" };
        }

        return open;
    }

    /// <summary>Opens a session and waits until it is open.</summary>
    public async Task<OpenSession> OpenAsync(uint maxNewTokens = 8, uint maxPositions = 64, Action<OpenSession>? change = null)
    {
        OpenSession open = OpenRequest(maxNewTokens, maxPositions);
        change?.Invoke(open);
        Loop.Open(open, Owner);
        ControlEvent answer = await Events.NextAsync();
        Assert.Equal(ControlEvent.EventOneofCase.Opened, answer.EventCase);
        return open;
    }

    public static StepFrame Tokens(OpenSession open, ulong step, uint kvLength, bool sample, params int[] tokens) => new()
    {
        SessionId = open.SessionId,
        Step = step,
        KvLength = kvLength,
        Rows = (uint)tokens.Length,
        FirstBlock = 0,
        Tokens = ByteString.CopyFrom(Bytes(tokens)),
        Sample = sample,
    };

    public static StepFrame Hidden(OpenSession open, ulong step, uint kvLength, bool sample, int rows) => new()
    {
        SessionId = open.SessionId,
        Step = step,
        KvLength = kvLength,
        Rows = (uint)rows,
        FirstBlock = open.FirstBlock,
        Hidden = ByteString.CopyFrom(new byte[rows * FakeStack.Width * 2]),
        Sample = sample,
    };

    /// <summary>Hands a frame in as the API node would.</summary>
    public void Send(StepFrame frame) => Send(frame, Stream);

    public void Send(StepFrame frame, StepStream stream)
    {
        Assert.True(stream.WaitForSlotsAsync(frame, CancellationToken.None).IsCompletedSuccessfully);
        Loop.Arrive(new IncomingStep(frame, stream));
    }

    /// <summary>Reads sampled tokens of one session until the last.</summary>
    public async Task<List<int>> TokensUntilLastAsync()
    {
        List<int> tokens = [];
        while (true)
        {
            ControlEvent message = await Events.NextAsync();
            Assert.Equal(ControlEvent.EventOneofCase.Token, message.EventCase);
            tokens.Add((int)message.Token.Token);
            if (message.Token.Last) return tokens;
        }
    }

    /// <summary>Waits until every step handed in before has run to its end, in as many turns as it takes.</summary>
    public async Task ComputedAsync()
    {
        do await SettleAsync();
        while (Loop.Gauges.WaitingSteps > 0);
    }

    /// <summary>Waits until the loop has taken in everything handed in before, and has had a turn for it.</summary>
    public async Task SettleAsync()
    {
        OpenSession refused = OpenRequest();
        refused.ProtocolVersion = 99;
        (SessionOwner owner, EventLog<ControlEvent> events) = Connect("did:key:settle");
        // Twice: the numbers for readers are published after the turn that answered.
        for (int i = 0; i < 2; i++)
        {
            Loop.Open(refused, owner);
            await events.NextAsync();
        }
    }

    /// <summary>What the blocks draw when nothing is cut, batched or sent.</summary>
    public static List<int> Reference(int[] prompt, int count)
    {
        using FakeStack stack = new();
        using KvCache cache = stack.CreateCache(0, FakeStack.BlockCount);
        float[] logits = new float[FakeStack.Vocabulary];
        BlockStep step = new() { Cache = cache, Rows = prompt.Length, Tokens = prompt, Logits = logits };
        List<int> tokens = [];
        while (true)
        {
            stack.Run([step]);
            tokens.Add(logits.AsSpan().IndexOf(10f));
            if (tokens.Count == count) return tokens;

            step.Rows = 1;
            step.Tokens = new[] { tokens[^1] };
        }
    }

    public async ValueTask DisposeAsync()
    {
        Stack.Gate?.Release(1 << 20);
        await Loop.DisposeAsync();
        Telemetry.Dispose();
    }

    private static byte[] Bytes(int[] tokens)
    {
        byte[] bytes = MemoryMarshal.AsBytes(tokens.AsSpan()).ToArray();
        if (!BitConverter.IsLittleEndian)
        {
            for (int i = 0; i < tokens.Length; i++) BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(4 * i), tokens[i]);
        }

        return bytes;
    }

    private sealed class GreedySampler : ISampler
    {
        public int Sample(Span<float> logits, SamplingParameters parameters, int position, CandelEngine.Sampling.TokenHistory history, CandelEngine.Sampling.TokenLogprobs? logprobs) =>
            logits.IndexOf(10f) is int token and >= 0 ? token : throw new ArgumentException("There is nothing to draw from.");
    }
}
