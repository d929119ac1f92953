using System.Buffers.Binary;
using System.Collections.Concurrent;
using Google.Protobuf;
using KwaaiNet.ApiNode.Generation;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Tests.Fakes;

/// <summary>Shards in memory. The last shard of a session's chain samples as soon as the first has seen the whole prompt.</summary>
internal sealed class FakeNetwork : IShardDialer, INodeSnapshot
{
    // What the shards of a session have in their KV: the prompt, and behind it what was drawn.
    private readonly ConcurrentDictionary<ByteString, List<int>> _conversations = new();
    private readonly ConcurrentDictionary<PageHash, int[]> _beginnings = new();

    public ConcurrentDictionary<string, FakeShard> Shards { get; } = new();

    public string Model { get; init; } = "demo";

    public int Blocks { get; init; } = 6;

    /// <summary>What every shard announces to speak.</summary>
    public IReadOnlyList<uint> ProtocolVersions { get; init; } = [1, 2];

    /// <summary>What every shard announces as free, however stale.</summary>
    public long KvFreeBytes { get; set; } = 1 << 20;

    /// <summary>What every shard has, and announces unless <see cref="SaysItsBudget"/> is false.</summary>
    public long KvTotalBytes { get; set; } = 1 << 20;

    public bool SaysItsBudget { get; init; } = true;

    /// <summary>What a shard keeps a position of one block in: half of what the model's file suggests, as binary16 is of binary32.</summary>
    public long KvBytesPerBlockPosition { get; init; } = FakeCatalog.KvBytesPerBlockPosition / 2;

    public string? Trouble { get; set; }

    public event Action? Changed;

    /// <summary>Says that records have changed.</summary>
    public void Announce() => Changed?.Invoke();

    /// <summary>What is answered at temperature 0, and an end token behind it.</summary>
    public string Answer { get; set; } = "Hello from the chain.";

    /// <summary>Whether an end token follows <see cref="Answer"/>; otherwise it is repeated.</summary>
    public bool Ends { get; set; } = true;

    /// <summary>Called before the token of this index is sampled; false stops the ring there without a word.</summary>
    public Func<FakeShard, int, bool> BeforeToken { get; set; } = (_, _) => true;

    public IReadOnlyCollection<NodeRecord> Records =>
        [.. Shards.Values.OrderBy(shard => shard.NodeId, StringComparer.Ordinal).Select(shard => shard.Announce(Record(shard.NodeId, shard.Range)))];

    /// <summary>A network of one shard a range: <c>a</c>, <c>b</c>, <c>c</c> …</summary>
    public static FakeNetwork Of(params string[] ranges)
    {
        FakeNetwork network = new();
        foreach (string range in ranges)
        {
            network.Add($"{(char)('a' + network.Shards.Count)}", range);
        }

        return network;
    }

    public FakeShard Add(string nodeId, string range)
    {
        Assert.True(BlockRange.TryParse(range, out BlockRange blocks));
        return Shards[nodeId] = new FakeShard(this, nodeId, blocks);
    }

    public Shard.ShardClient Dial(string nodeId, string endpoint)
    {
        Dialed.Enqueue(endpoint);
        return endpoint.Contains("dead", StringComparison.Ordinal) ? throw new InvalidOperationException("nobody there") : Shards[nodeId];
    }

    /// <summary>Every endpoint that was called; one with "dead" in its name does not answer.</summary>
    public ConcurrentQueue<string> Dialed { get; } = new();

    public NodeRecord Record(string nodeId, BlockRange range) => new()
    {
        NodeId = nodeId,
        Role = NodeRole.Shard,
        Network = "local",
        Endpoints = { $"https://{nodeId}:1" },
        ProtocolVersions = { ProtocolVersions },
        Serving =
        {
            new ServedBlocks
            {
                Model = Model,
                WeightsHash = FakeCatalog.Hash,
                FirstBlock = (uint)range.First,
                EndBlock = (uint)range.End,
                BlockCount = (uint)Blocks,
                State = ServingState.Ready,
                DecodeTokensPerSecond = 1000.0 / range.Count,
                KvFreeBytes = KvFreeBytes,
                KvTotalBytes = SaysItsBudget ? KvTotalBytes : 0,
                KvBytesPerBlockPosition = SaysItsBudget ? KvBytesPerBlockPosition : 0,
            },
        },
    };

    public void OnFrame(StepFrame frame)
    {
        List<int> prompt = _conversations.GetOrAdd(frame.SessionId, id => Beginning(id, frame));
        Assert.Equal((uint)prompt.Count, frame.KvLength);
        for (int row = 0; row < frame.Rows; row++)
        {
            prompt.Add(BinaryPrimitives.ReadInt32LittleEndian(frame.Tokens.Span[(row * sizeof(int))..]));
        }

        foreach (FakeShard shard in Shards.Values)
        {
            if (shard.Sessions.TryGetValue(frame.SessionId, out OpenSession? open))
            {
                Keep(shard, open, open.PrefixHashes);
            }
        }

        if (frame.Sample)
        {
            Sample(frame.SessionId, prompt);
        }
    }

    /// <summary>Makes the pages of a session that are whole, and named, findable on a shard.</summary>
    public void Keep(FakeShard shard, OpenSession open, ByteString hashes)
    {
        if (!_conversations.TryGetValue(open.SessionId, out List<int>? tokens))
        {
            return;
        }

        for (int page = 0; page < hashes.Length / PageHash.Length && (page + 1) * PageHash.Positions <= tokens.Count; page++)
        {
            PageHash hash = PageHash.Read(hashes.Span, page);
            _beginnings[hash] = [.. tokens.Take((page + 1) * PageHash.Positions)];
            shard.Held[(open.PrefixLineage, hash)] = true;
        }
    }

    // Every shard of the session holds what the first frame leaves out, and it is what the hashes say.
    private List<int> Beginning(ByteString sessionId, StepFrame first)
    {
        OpenSession[] opens = [.. Shards.Values.Select(shard => shard.Sessions.GetValueOrDefault(sessionId)).OfType<OpenSession>()];
        int pages = (int)first.KvLength / PageHash.Positions;
        Assert.All(opens, open => Assert.True(open.PrefixHashes.Length >= pages * PageHash.Length));
        return pages == 0 ? [] : [.. _beginnings[PageHash.Read(opens[0].PrefixHashes.Span, pages - 1)]];
    }

    private void Sample(ByteString sessionId, List<int> prompt)
    {
        FakeShard? last = Shards.Values.FirstOrDefault(shard => shard.Sessions.TryGetValue(sessionId, out OpenSession? open) && open.Sampling is not null);
        if (last is null || !last.Sessions.TryGetValue(sessionId, out OpenSession? session))
        {
            return;
        }

        int promptEnd = prompt.LastIndexOf(';') + 1;
        int promptCount = prompt.Count;
        for (int i = 0; i < session.MaxNewTokens; i++)
        {
            // What a chain generated before this one took over stands behind the template's text.
            int index = promptCount - promptEnd + i;
            if (!BeforeToken(last, index))
            {
                return;
            }

            int token = Token(session, promptCount + i, index);
            bool end = session.EndTokens.Contains((uint)token);
            last.Send(new ControlEvent
            {
                Token = new TokenSampled
                {
                    SessionId = sessionId,
                    Step = (ulong)i,
                    Position = (uint)(promptCount + i),
                    Token = (uint)token,
                    Last = end || i == session.MaxNewTokens - 1,
                    Logprobs = Logprobs(session, token),
                },
            });
            // Run, as the ring does, unless it ends here.
            if (end)
            {
                return;
            }

            prompt.Add(token);
        }
    }

    /// <summary>Changes what is sent with tokens when log probabilities were asked for.</summary>
    public Func<SampledLogprobs, SampledLogprobs?> Logprob { get; set; } = logprobs => logprobs;

    // The drawn token is the most likely one, then "b", then the end token.
    private SampledLogprobs? Logprobs(OpenSession session, int token)
    {
        if (!session.Sampling.HasTopLogprobs)
        {
            return null;
        }

        SampledLogprobs logprobs = new() { Drawn = -0.25f };
        (int, float)[] all = [(token, -0.25f), ('b', -2.5f), (FakeTokenizer.End, -9999)];
        logprobs.Top.Add(all.Take((int)session.Sampling.TopLogprobs).Select(entry => new SampledLogprob { Token = (uint)entry.Item1, Logprob = entry.Item2 }));
        return Logprob(logprobs);
    }

    private int Token(OpenSession session, int position, int index)
    {
        if (session.Sampling.Temperature > 0)
        {
            // A draw depends on seed and position alone.
            return 'a' + (int)(((session.Sampling.Seed * 31) + ((ulong)position * 17) + (session.Sampling.Seed >> 7)) % 26);
        }

        int[] answer = new FakeTokenizer().Encode(Answer);
        return index < answer.Length ? answer[index] : Ends ? FakeTokenizer.End : answer[index % answer.Length];
    }
}
