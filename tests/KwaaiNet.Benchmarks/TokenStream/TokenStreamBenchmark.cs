using System.Diagnostics;
using System.Globalization;
using Google.Protobuf;
using KwaaiNet.ApiNode.Chat;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Hosting;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Routes;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Wire;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.AI;
using Microsoft.Extensions.DependencyInjection;

namespace KwaaiNet.Benchmarks.TokenStream;

/// <summary>What a streamed token costs the API node: from the thread that reads a shard's link to the client's socket.</summary>
/// <remarks>
/// <code>
/// dotnet run --project tests/KwaaiNet.Benchmarks -c Release -- token-stream [--users 1,8,16] [--tokens 1000] [--every-ms 2] [--runs 3] [--parts client,telemetry,route,served]
/// </code>
/// One token for every user each so many ms, fed by one thread as by a link's. Four parts, each within the next: the chat client alone; with
/// its telemetry; the route, written to nowhere; served over Kestrel to a process of its own that reads. The least of the runs, since
/// whatever else happens only adds, without what the feeding thread takes to wait.
/// </remarks>
internal sealed class TokenStreamBenchmark : IAsyncDisposable
{
    /// <summary>The command's name.</summary>
    public const string Command = "token-stream";

    private const string Model = "demo";
    private const int Warm = 200;
    private readonly ModelFile _file = ModelFile.Open(ShippedModel.Path);
    private readonly FeedingShard _shard = new();
    private readonly WebApplication _app;
    private readonly int[] _text;
    private readonly int _tokens;
    private readonly int _every;

    private TokenStreamBenchmark(int tokens, int every)
    {
        _tokens = tokens;
        _every = every;
        string hash = new('a', 64);
        OneShard network = new(Record(hash, _file.Shape.BlockCount));
        _text = _file.Tokenizer.Encode("Once upon a time there was a small house by the sea, and in it lived somebody who said \"yes\" to everything.\n");
        ChatModel model = new()
        {
            Id = Model,
            WeightsHash = hash,
            BlockCount = _file.Shape.BlockCount,
            ContextLength = 1 << 20,
            KvBytesPerBlockPosition = 1,
            Tokenizer = _file.Tokenizer,
            ChatTemplate = _file.ChatTemplate,
        };
        _app = ApiNodeHost.Build(["--Node:HttpPort=0", "--Logging:LogLevel:Default=Warning"], builder => builder.Services
            .AddSingleton<INodeSnapshot>(network).AddSingleton<IShardDialer>(_shard).AddSingleton<IChatModelCatalog>(new OneModel(model)));
    }

    public static async Task RunAsync(string[] args)
    {
        int[] users = [.. Option(args, "--users", "1,8,16").Split(',').Select(Number)];
        int runs = Number(Option(args, "--runs", "3"));
        await using TokenStreamBenchmark benchmark = new(Number(Option(args, "--tokens", "1000")), Number(Option(args, "--every-ms", "2")));
        await benchmark._app.StartAsync();
        string[] parts = Option(args, "--parts", "client,telemetry,route,served").Split(',');
        Console.WriteLine("a token of          users   process µs   of it feeding thread µs   allocated bytes");
        foreach (int count in users)
        {
            foreach (string part in parts) benchmark.Measure(part, count);
            double pause = Least([.. Enumerable.Range(0, runs).Select(_ => benchmark.Pause(count))]).Thread;
            foreach (string part in parts)
            {
                TokenCost cost = Least([.. Enumerable.Range(0, runs).Select(_ => benchmark.Measure(part, count))]) - new TokenCost(pause, pause, 0);
                Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{part,-18}{count,7}{cost.Process,13:0.0}{cost.Thread,26:0.0}{cost.Bytes,18:0}"));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _app.DisposeAsync();
        _file.Dispose();
    }

    private TokenCost Measure(string part, int users)
    {
        using Process? readers = part == "served" ? Readers(users) : null;
        Task[] streams = readers is not null ? [readers.WaitForExitAsync()] : [.. Enumerable.Range(0, users).Select(_ => Task.Run(() => StreamAsync(part)))];
        (ByteString Session, uint Position)[] sessions = [.. Enumerable.Range(0, users).Select(_ => Prompted())];
        TokenCost cost = Feed(sessions) / (_tokens * users);
        Task.WaitAll(streams);
        return cost;
    }

    private TokenCost Pause(int users) => Feed([]) / (_tokens * users);

    private TokenCost Feed((ByteString Session, uint Position)[] sessions)
    {
        TokenCost before = default;
        TokenCost after = default;
        for (int i = 0; i < Warm + _tokens + 1; i++)
        {
            if (i == Warm) before = TokenCost.Now();
            if (i == Warm + _tokens) after = TokenCost.Now();
            foreach ((ByteString session, uint position) in sessions)
                _shard.Feed(session, position + (uint)i, _text[i % _text.Length], last: i == Warm + _tokens);
            // The pace at which tokens come (--every-ms): what is measured, not a wait for something. On this thread, as a link's reader has one.
            Thread.Sleep(_every);
        }

        return after - before;
    }

    private (ByteString, uint) Prompted() => _shard.Prompted.TryTake(out (ByteString, uint) prompted, TimeSpan.FromSeconds(30))
        ? prompted
        : throw new TimeoutException("A request did not reach the shard.");

    private async Task StreamAsync(string part)
    {
        ChatOptions options = new() { ModelId = Model, Temperature = 0, MaxOutputTokens = Warm + _tokens + 1 };
        List<ChatMessage> messages = [new(ChatRole.User, "Hi")];
        if (part == "route")
        {
            DefaultHttpContext context = new() { RequestServices = _app.Services };
            context.Features.Set<IHttpResponseBodyFeature>(new DiscardedBody());
            await ChatCompletionStream.WriteAsync(context, _app.Services.GetRequiredService<IChatClient>(), new ChatCompletionRequest(messages, options, Stream: true, IncludeUsage: false));
            return;
        }

        IChatClient client = part == "telemetry" ? _app.Services.GetRequiredService<IChatClient>() : _app.Services.GetRequiredService<ShardChainChatClient>();
        await foreach (ChatResponseUpdate update in client.GetStreamingResponseAsync(messages, options)) _ = update;
    }

    private Process Readers(int users) => Process.Start(
        Environment.ProcessPath!, [StreamReaders.Command, $"{new Uri(_app.Urls.First()).Port}", $"{users}", $"{Warm + _tokens + 1}"]);

    private static TokenCost Least(TokenCost[] runs) =>
        new(runs.Min(run => run.Process), runs.Min(run => run.Thread), runs.Min(run => run.Bytes));

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static string Option(string[] args, string name, string otherwise) =>
        Array.IndexOf(args, name) is int at and >= 0 && at + 1 < args.Length ? args[at + 1] : otherwise;

    private static NodeRecord Record(string hash, int blocks) => new()
    {
        NodeId = "shard",
        Role = NodeRole.Shard,
        Network = "local",
        Endpoints = { "https://shard:1" },
        ProtocolVersions = { 1, 2 },
        Serving =
        {
            new ServedBlocks
            {
                Model = Model,
                WeightsHash = hash,
                EndBlock = (uint)blocks,
                BlockCount = (uint)blocks,
                State = ServingState.Ready,
                DecodeTokensPerSecond = 100,
                KvFreeBytes = 1L << 40,
                KvTotalBytes = 1L << 40,
                KvBytesPerBlockPosition = 1,
            },
        },
    };

    private sealed class OneShard(NodeRecord record) : INodeSnapshot
    {
        public string? Trouble => null;

        public event Action? Changed
        {
            add { }
            remove { }
        }

        public IReadOnlyCollection<NodeRecord> Records => [record];
    }

    private sealed class OneModel(ChatModel model) : IChatModelCatalog
    {
        public event Action? Changed
        {
            add { }
            remove { }
        }

        public IReadOnlyList<ChatModel> Models => [model];

        public IReadOnlyDictionary<string, string> Closed { get; } = new Dictionary<string, string>();

        public ChatModel? Find(string id) => id == model.Id ? model : null;

        public bool IsOpening(string id) => false;
    }
}
