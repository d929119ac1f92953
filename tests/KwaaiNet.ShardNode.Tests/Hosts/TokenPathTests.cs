using System.Security.Cryptography.X509Certificates;
using Google.Protobuf;
using Grpc.Core;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>What a token costs between the blocks: from one shard over a link to the next, round to the first, and to the node that asked.</summary>
/// <remarks>Alone: the whole process' allocations are read.</remarks>
[Collection(nameof(TokenPathTests))]
[CollectionDefinition(nameof(TokenPathTests), DisableParallelization = true)]
public sealed class TokenPathTests
{
    private const int Prompt = 5;
    private const int Tokens = 120;
    private const int Warm = 20;
    private const int Measured = 90;

    // Whatever is allocated for a token is 24 bytes at least. Timers, heartbeats and signs of life are not the token's; a round without any comes.
    private const int LeastObject = 24;
    private const int MaxRounds = 50;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_token_allocates_nothing_on_its_way_once_warm()
    {
        MemoryDirectory directory = new();
        await using TestShard first = await TestShard.StartAsync(directory, "Shard:Blocks=0-2", "Node:HeartbeatMilliseconds=20000");
        await using TestShard second = await TestShard.StartAsync(directory, "Shard:Blocks=3-5", "Node:HeartbeatMilliseconds=20000");
        await directory.WaitForReadyAsync(2);
        using NodeIdentity identity = NodeIdentity.Create();
        using X509Certificate2 certificate = NodeCertificate.Create(identity);
        using NodeChannels channels = new(identity);
        NodeLinks links = new(channels, certificate, TimeProvider.System);
        Hop[] hops = [.. new[] { first, second }.Select(shard => new Hop { NodeId = shard.NodeId, Endpoint = shard.Endpoint })];
        Shard.ShardClient[] shards = [.. hops.Select(hop => new Shard.ShardClient(links.Invoker(hop.Endpoint, hop.NodeId)))];
        using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> begin = shards[0].Control(cancellationToken: Token);
        using AsyncDuplexStreamingCall<ControlRequest, ControlEvent> end = shards[1].Control(cancellationToken: Token);
        using AsyncDuplexStreamingCall<StepFrame, StepRefused> steps = shards[0].Steps(cancellationToken: Token);
        Reader begun = new();
        Reader ended = new();
        Task[] reading = [begin.ResponseStream.ForEachAsync(begun.Take, Token), end.ResponseStream.ForEachAsync(ended.Take, Token)];

        long least = long.MaxValue;
        for (int round = 0; round < MaxRounds && least >= Measured * LeastObject; round++)
        {
            ByteString id = LoopHarness.NewId();
            OpenSession open = Open(id);
            open.EndBlock = 3;
            open.Next = hops[1];
            open.StepSources.Add([identity.NodeId, second.NodeId]);
            await begin.RequestStream.WriteAsync(new ControlRequest { Open = open }, Token);
            open = Open(id);
            (open.FirstBlock, open.EndBlock) = (3, 6);
            open.Ring = hops[0];
            open.StepSources.Add(first.NodeId);
            (open.Sampling, open.MaxNewTokens) = (new Sampling { TopP = 1 }, Tokens);
            Task<long> measured = ended.ExpectAsync();
            await end.RequestStream.WriteAsync(new ControlRequest { Open = open }, Token);
            await Task.WhenAll(begun.Opened.WaitAsync(Token), ended.Opened.WaitAsync(Token)).WaitAsync(TestTimeout.Value, Token);
            await steps.RequestStream.WriteAsync(
                new StepFrame { SessionId = id, Rows = Prompt, Tokens = ByteString.CopyFrom(new byte[Prompt * sizeof(int)]), Sample = true }, Token);
            least = Math.Min(least, await measured.WaitAsync(TestTimeout.Value, Token));
            foreach (AsyncDuplexStreamingCall<ControlRequest, ControlEvent> call in new[] { begin, end })
                await call.RequestStream.WriteAsync(new ControlRequest { Close = new CloseSession { SessionId = id } }, Token);
        }

        Assert.True(least < Measured * LeastObject, $"at least {least} bytes were allocated for {Measured} tokens");
        Assert.DoesNotContain(reading, task => task.IsCompleted);
    }

    private static OpenSession Open(ByteString id)
    {
        using ModelFile file = ModelFile.Open(TinyModel.Path);
        return new OpenSession
        {
            ProtocolVersion = 1,
            SessionId = id,
            Model = "tiny",
            WeightsHash = file.WeightsHash,
            MaxPositions = Prompt + Tokens,
            HiddenFormat = HiddenEncoding.F16,
        };
    }

    /// <summary>Reads events on the thread that brings them, as the API node does.</summary>
    private sealed class Reader
    {
        private TaskCompletionSource<long> _measured = new();
        private int _tokens;
        private long _before;
        private long _allocated;

        public SemaphoreSlim Opened { get; } = new(0);

        public Task<long> ExpectAsync()
        {
            _tokens = 0;
            _measured = new TaskCompletionSource<long>(TaskCreationOptions.RunContinuationsAsynchronously);
            return _measured.Task;
        }

        public ValueTask Take(ControlEvent message)
        {
            if (message.EventCase == ControlEvent.EventOneofCase.Opened) Opened.Release();
            if (message.EventCase == ControlEvent.EventOneofCase.Failed) _measured.TrySetException(new InvalidOperationException(message.ToString()));
            if (message.EventCase != ControlEvent.EventOneofCase.Token) return default;

            _tokens++;
            if (_tokens == Warm) _before = GC.GetTotalAllocatedBytes(precise: true);
            if (_tokens == Warm + Measured) _allocated = GC.GetTotalAllocatedBytes(precise: true) - _before;
            // Only now: a session that is closed while its tokens go round fails, and the next round would hear of it.
            if (message.Token.Last) _measured.TrySetResult(_allocated);
            return default;
        }
    }
}
