using Google.Protobuf;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Loop;

/// <summary>Pages that outlive their session: who finds them, how a session begins with them, and when they go.</summary>
public sealed class PrefixTests(ITestOutputHelper output)
{
    private const int PagePositions = 16;
    private static readonly int[] s_prompt = Tokens(130, seed: 1);

    [Fact]
    public async Task A_session_begins_with_the_pages_of_one_that_has_ended_and_draws_the_same()
    {
        await using LoopHarness harness = new(Stack());
        Assert.Equal(0, (await AskAsync(harness, s_prompt, 5)).Cached);
        long rows = harness.Loop.Gauges.Rows;

        (int cached, List<int> drawn) = await AskAsync(harness, s_prompt, 5);

        Assert.Equal(128, cached);
        Assert.Equal(LoopHarness.Reference(s_prompt, 5), drawn);
        await harness.SettleAsync();
        // What was not found of the prompt, and what was drawn but the last.
        Assert.Equal(130 - 128 + 4, harness.Loop.Gauges.Rows - rows);
    }

    [Fact]
    public async Task The_next_turn_finds_what_was_drawn_as_well()
    {
        await using LoopHarness harness = new(Stack());
        int[] question = Tokens(100, seed: 2);
        (_, List<int> answer) = await AskAsync(harness, question, 40);
        int[] next = [.. question, .. answer, .. Tokens(20, seed: 3)];

        (int cached, List<int> drawn) = await AskAsync(harness, next, 5);

        Assert.Equal(128, cached);
        Assert.Equal(LoopHarness.Reference(next, 5), drawn);
    }

    [Fact]
    public async Task Pages_are_found_while_the_session_that_filled_them_still_runs()
    {
        await using LoopHarness harness = new(Stack());
        OpenSession first = await OpenAsync(harness, s_prompt, 60, expected: 0);
        harness.Send(LoopHarness.Tokens(first, 0, 0, false, s_prompt[..129]));
        await harness.ComputedAsync();

        (int cached, List<int> drawn) = await AskAsync(harness, s_prompt, 5);
        Assert.Equal(128, cached);
        Assert.Equal(LoopHarness.Reference(s_prompt, 5), drawn);

        // And neither wrote into the other's.
        harness.Send(LoopHarness.Tokens(first, 1, 129, true, s_prompt[129]));
        Assert.Equal(LoopHarness.Reference(s_prompt, 60), await harness.TokensUntilLastAsync());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(64)]
    [InlineData(128)]
    public async Task A_session_may_begin_with_fewer_pages_than_were_found(int from)
    {
        await using LoopHarness harness = new(Stack());
        await AskAsync(harness, s_prompt, 5);
        OpenSession open = await OpenAsync(harness, s_prompt, 5, expected: 128);
        harness.Send(LoopHarness.Tokens(open, 0, (uint)from, true, s_prompt[from..]));
        Assert.Equal(LoopHarness.Reference(s_prompt, 5), await harness.TokensUntilLastAsync());
    }

    [Theory]
    [InlineData(0, 63)]
    [InlineData(0, 127)]
    [InlineData(0, 129)]
    [InlineData(0, 192)]
    [InlineData(1, 128)]
    public async Task It_begins_nowhere_else(int step, int from)
    {
        await using LoopHarness harness = new(Stack());
        await AskAsync(harness, s_prompt, 5);
        OpenSession open = await OpenAsync(harness, s_prompt, 5, expected: 128);
        harness.Send(LoopHarness.Tokens(open, (ulong)step, (uint)from, true, 1));
        Assert.Equal(FailureCode.KvLengthMismatch, (await harness.Events.NextAsync()).Failed.Code);
    }

    [Fact]
    public async Task Only_the_first_step_begins_earlier()
    {
        await using LoopHarness harness = new(Stack());
        await AskAsync(harness, s_prompt, 5);
        OpenSession open = await OpenAsync(harness, s_prompt, 5, expected: 128);
        harness.Send(LoopHarness.Tokens(open, 0, 64, false, s_prompt[64..128]));
        harness.Send(LoopHarness.Tokens(open, 1, 64, true, s_prompt[64..]));
        Assert.Equal(FailureCode.KvLengthMismatch, (await harness.Events.NextAsync()).Failed.Code);
    }

    [Theory]
    [InlineData("another owner")]
    [InlineData("another lineage")]
    [InlineData("another hidden format")]
    [InlineData("other tokens")]
    public async Task What_is_not_the_same_in_every_way_is_not_found(string what)
    {
        await using LoopHarness harness = new(Stack());
        await AskAsync(harness, s_prompt, 5);
        int[] prompt = [.. s_prompt];
        OpenSession open = Request(harness, prompt, 5);
        (SessionOwner owner, EventLog<ControlEvent> events) = what == "another owner" ? LoopHarness.Connect("did:key:stranger") : (harness.Owner, harness.Events);
        if (what == "another lineage") open.PrefixLineage = ByteString.CopyFrom(new byte[16].Select((_, i) => (byte)i).ToArray());
        if (what == "another hidden format") open.HiddenFormat = HiddenEncoding.F32;
        if (what == "other tokens")
        {
            // Only the very first one: hashes are chained.
            prompt[0] = (prompt[0] + 1) % 20;
            open.PrefixHashes = Hashes(prompt, 2);
        }

        harness.Loop.Open(open, owner);

        Assert.Equal(0u, (await events.NextAsync()).Opened.CachedPositions);
    }

    [Fact]
    public async Task A_stranger_that_knows_the_hashes_cannot_place_pages_of_its_own_among_anothers()
    {
        await using LoopHarness harness = new(Stack());
        (SessionOwner stranger, EventLog<ControlEvent> events) = LoopHarness.Connect("did:key:stranger");
        OpenSession open = Request(harness, s_prompt, 5);
        harness.Loop.Open(open, stranger);
        await events.NextAsync();
        // Other tokens under these names.
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, Tokens(130, seed: 9)));
        while (!(await events.NextAsync()).Token.Last)
        {
        }

        (int cached, List<int> drawn) = await AskAsync(harness, s_prompt, 5);
        Assert.Equal((0, string.Join(' ', LoopHarness.Reference(s_prompt, 5))), (cached, string.Join(' ', drawn)));
    }

    [Fact]
    public async Task Pages_that_nobody_uses_are_free_room_and_go_when_it_is_needed_the_longest_unused_first()
    {
        // 320 positions: two conversations of 144 and hardly anything beside them.
        FakeStack stack = Stack(positions: 320);
        await using LoopHarness harness = new(stack);
        await harness.SettleAsync();
        long free = harness.Loop.Gauges.KvFreeBytes;
        int[] second = Tokens(130, seed: 4);
        await AskAsync(harness, s_prompt, 5);
        await AskAsync(harness, second, 5);
        await harness.SettleAsync();
        Assert.Equal((free, 0L), (harness.Loop.Gauges.KvFreeBytes, harness.Loop.Gauges.KvUsedBytes));
        Assert.Equal(256L * FakeStack.BlockCount * stack.KvBytesPerBlockPosition, harness.Loop.Gauges.KvCachedBytes);

        // Needs 192: what is free, and all that the first conversation left.
        await AskAsync(harness, Tokens(180, seed: 5), 5);
        Assert.Equal(128, await CachedAsync(harness, second));
        Assert.Equal(0, await CachedAsync(harness, s_prompt));
    }

    [Fact]
    public async Task Pages_go_when_nobody_has_used_them_for_their_time()
    {
        await using LoopHarness harness = new(Stack(), ttlSeconds: 600);
        await AskAsync(harness, s_prompt, 5);
        harness.Time.Advance(TimeSpan.FromSeconds(590));
        Assert.Equal(128, await CachedAsync(harness, s_prompt));
        harness.Time.Advance(TimeSpan.FromSeconds(590));
        Assert.Equal(128, await CachedAsync(harness, s_prompt));
        harness.Time.Advance(TimeSpan.FromSeconds(620));
        await harness.SettleAsync();
        Assert.Equal(0, await CachedAsync(harness, s_prompt));
        await harness.SettleAsync();
        Assert.Equal(0, harness.Loop.Gauges.KvCachedBytes);
    }

    [Fact]
    public async Task A_session_without_names_leaves_nothing()
    {
        await using LoopHarness harness = new(Stack());
        OpenSession open = await harness.OpenAsync(maxNewTokens: 5, maxPositions: 200);
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, s_prompt));
        await harness.TokensUntilLastAsync();
        // Hashes that are none name nothing, and the session is closed all the same.
        harness.Loop.Close(new CloseSession { SessionId = open.SessionId, PageHashes = ByteString.CopyFrom(new byte[17]) }, harness.Owner);
        Assert.Equal(open.SessionId, (await harness.Events.NextAsync()).Closed.SessionId);
        await harness.SettleAsync();
        Assert.Equal(0, harness.Loop.Gauges.KvCachedBytes);
    }

    [Theory]
    [InlineData(15, 0)]
    [InlineData(17, 0)]
    [InlineData(16, 3)]
    [InlineData(16 * 4, 0)]
    [InlineData(16 * (PageHash.MaxPages + 1), 0)]
    public async Task Names_that_are_none_are_refused(int hashes, int lineage)
    {
        await using LoopHarness harness = new(Stack());
        OpenSession open = harness.OpenRequest(maxPositions: 256);
        open.PrefixHashes = ByteString.CopyFrom(new byte[hashes]);
        open.PrefixLineage = ByteString.CopyFrom(new byte[lineage]);
        harness.Loop.Open(open, harness.Owner);
        Assert.Equal(FailureCode.BadFrame, (await harness.Events.NextAsync()).Failed.Code);
    }

    [Fact]
    public async Task Conversations_that_branch_end_and_are_forgotten_draw_what_they_would_have_drawn_alone()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        await using LoopHarness harness = new(Stack(positions: 700));
        List<int[]> conversations = [Tokens(70, seed), Tokens(90, seed + 1)];
        int cachedInAll = 0;
        for (int turn = 0; turn < 60; turn++)
        {
            int[] before = conversations[random.Next(conversations.Count)];
            int[] prompt = [.. before.Take(random.Next(before.Length / 2, before.Length + 1)), .. Tokens(random.Next(1, 30), random.Next())];
            if (prompt.Length > 200) prompt = prompt[..200];
            int count = random.Next(1, 40);
            (int cached, List<int> drawn) = await AskAsync(harness, prompt, count);
            Assert.Equal(LoopHarness.Reference(prompt, count), drawn);
            cachedInAll += cached;
            conversations.Add([.. prompt, .. drawn]);
        }

        Assert.NotEqual(0, cachedInAll);
        await harness.SettleAsync();
        Assert.Equal(0, harness.Loop.Gauges.KvUsedBytes);
    }

    // As an API node does: opens, sends what is not cached, reads to the end, closes and names everything.
    private static async Task<(int Cached, List<int> Drawn)> AskAsync(LoopHarness harness, int[] prompt, int count)
    {
        OpenSession open = Request(harness, prompt, count);
        harness.Loop.Open(open, harness.Owner);
        int cached = (int)(await harness.Events.NextAsync()).Opened.CachedPositions;
        harness.Send(LoopHarness.Tokens(open, 0, (uint)cached, true, prompt[cached..]));
        List<int> drawn = await harness.TokensUntilLastAsync();
        int[] all = [.. prompt, .. drawn];
        harness.Loop.Close(new CloseSession { SessionId = open.SessionId, PageHashes = Hashes(all, (all.Length - 1) / PageHash.Positions) }, harness.Owner);
        Assert.Equal(open.SessionId, (await harness.Events.NextAsync()).Closed.SessionId);
        return (cached, drawn);
    }

    private static async Task<OpenSession> OpenAsync(LoopHarness harness, int[] prompt, int count, int expected)
    {
        OpenSession open = Request(harness, prompt, count);
        harness.Loop.Open(open, harness.Owner);
        Assert.Equal((uint)expected, (await harness.Events.NextAsync()).Opened.CachedPositions);
        return open;
    }

    private static async Task<int> CachedAsync(LoopHarness harness, int[] prompt)
    {
        OpenSession open = Request(harness, prompt, 1);
        harness.Loop.Open(open, harness.Owner);
        int cached = (int)(await harness.Events.NextAsync()).Opened.CachedPositions;
        harness.Loop.Close(new CloseSession { SessionId = open.SessionId }, harness.Owner);
        await harness.Events.NextAsync();
        return cached;
    }

    private static OpenSession Request(LoopHarness harness, int[] prompt, int count)
    {
        OpenSession open = harness.OpenRequest((uint)count, (uint)(prompt.Length + count));
        open.PrefixHashes = Hashes(prompt, (prompt.Length - 1) / PageHash.Positions);
        return open;
    }

    private static ByteString Hashes(int[] tokens, int pages)
    {
        PageHashChain chain = new(LoopHarness.Hash, "");
        chain.Extend(tokens);
        return ByteString.CopyFrom(chain.ToBytes(pages));
    }

    private static int[] Tokens(int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(20))];
    }

    private static FakeStack Stack(int positions = 4_096) =>
        new(kvBudget: 16L * FakeStack.BlockCount * positions, pagePositions: PagePositions);
}
