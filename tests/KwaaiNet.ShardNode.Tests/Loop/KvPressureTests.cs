using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Loop;

/// <summary>Sessions on a shard whose KV budget is smaller than what they may come to need.</summary>
public sealed class KvPressureTests(ITestOutputHelper output)
{
    private const int Page = 4;
    private const int PositionBytes = 16 * FakeStack.BlockCount;

    [Fact]
    public async Task Pages_are_taken_as_they_are_filled_and_not_for_the_limit()
    {
        await using LoopHarness harness = Harness(positions: 400);
        Request request = new([1, 2, 3], 8);
        OpenSession open = await OpenAsync(harness, request, maxPositions: 200);
        await harness.SettleAsync();
        Assert.Equal(0, harness.Loop.Gauges.KvUsedBytes);

        // What is expected of it is not offered to others.
        Assert.Equal(PositionBytes * (400 - 132), harness.Loop.Gauges.KvFreeBytes);

        harness.Send(LoopHarness.Tokens(open, 0, 0, true, request.Prompt));
        Assert.Equal(LoopHarness.Reference(request.Prompt, 8), await harness.TokensUntilLastAsync());
        await harness.SettleAsync();

        // Three of the prompt and seven drawn: the eighth was never run.
        Assert.Equal(PositionBytes * 12, harness.Loop.Gauges.KvUsedBytes);
    }

    [Fact]
    public async Task A_budget_of_so_many_positions_serves_so_many()
    {
        const int Sessions = 5;
        const int Each = 40;
        await using LoopHarness harness = Harness(positions: Sessions * Each);
        Request[] requests = [.. Enumerable.Range(0, Sessions).Select(i => new Request([i + 1, 2, 3], Each - 2))];
        foreach (Request request in requests) request.Id = (await OpenAsync(harness, request, maxPositions: Each)).SessionId;
        OpenSession more = OpenOf(harness, new Request([9], 1), maxPositions: 2);
        harness.Loop.Open(more, harness.Owner);
        Assert.Equal((FailureCode.KvExhausted, 0), Refusal(await harness.Events.NextAsync()));

        foreach (Request request in requests) harness.Send(LoopHarness.Tokens(new OpenSession { SessionId = request.Id }, 0, 0, true, request.Prompt));
        while (requests.Any(request => request.Tokens.Count < request.Count))
        {
            ControlEvent message = await harness.Events.NextAsync();
            Assert.Equal(ControlEvent.EventOneofCase.Token, message.EventCase);
            requests.Single(request => request.Id == message.Token.SessionId).Tokens.Add((int)message.Token.Token);
        }

        Assert.All(requests, request => Assert.Equal(LoopHarness.Reference(request.Prompt, request.Count), request.Tokens));
        await harness.SettleAsync();
        Assert.Equal(harness.Loop.KvTotalBytes, harness.Loop.Gauges.KvUsedBytes);
    }

    [Fact]
    public async Task Where_pages_run_out_the_youngest_is_preempted_and_the_oldest_finishes()
    {
        // Both are let in, 132 positions being expected of each; both want 200.
        await using LoopHarness harness = Harness(positions: 300, new SemaphoreSlim(0));
        Request young = new([1, 2, 3, 4], 196) { RequestedUnixMs = 2000 };
        Request old = new([5, 6, 7, 8], 196) { RequestedUnixMs = 1000 };
        foreach (Request request in new[] { young, old }) request.Id = (await OpenAsync(harness, request, maxPositions: 200)).SessionId;
        foreach (Request request in new[] { young, old }) harness.Send(LoopHarness.Tokens(new OpenSession { SessionId = request.Id }, 0, 0, true, request.Prompt));

        // Both are in line before either runs.
        harness.Stack.Gate!.Release(1 << 20);
        SessionFailed? preempted = null;
        while (old.Tokens.Count < old.Count)
        {
            ControlEvent message = await harness.Events.NextAsync();
            if (message.EventCase == ControlEvent.EventOneofCase.Failed)
            {
                Assert.Null(preempted);
                preempted = message.Failed;
                continue;
            }

            (message.Token.SessionId == old.Id ? old : young).Tokens.Add((int)message.Token.Token);
        }

        Assert.Equal((young.Id, FailureCode.Preempted, LoopHarness.Self), (preempted?.SessionId, preempted?.Code, preempted?.NodeId));
        Assert.Equal(LoopHarness.Reference(old.Prompt, old.Count), old.Tokens);
        List<int> expected = LoopHarness.Reference(young.Prompt, young.Count);
        Assert.Equal(expected[..young.Tokens.Count], young.Tokens);

        // A neighbour that has not heard of it is told so, and does not take this node for a faulty one.
        harness.Send(LoopHarness.Tokens(new OpenSession { SessionId = young.Id }, 0, 0, true, 1));
        Assert.Equal(FailureCode.Preempted, (await harness.Refusals.NextAsync()).Code);

        // Its owner replays what it has, and goes on where it was.
        harness.Loop.Close(new CloseSession { SessionId = old.Id }, harness.Owner);
        Assert.Equal(old.Id, (await harness.Events.NextAsync()).Closed.SessionId);
        OpenSession again = await OpenAsync(harness, young, maxPositions: 200);
        harness.Send(LoopHarness.Tokens(again, 0, 0, true, young.Known));
        Assert.Equal(expected[young.Tokens.Count..], await harness.TokensUntilLastAsync());
    }

    [Fact]
    public async Task A_session_that_could_not_be_held_even_alone_is_not_opened()
    {
        await using LoopHarness harness = Harness(positions: 100);
        harness.Loop.Open(OpenOf(harness, new Request([1], 1), maxPositions: 101), harness.Owner);
        Assert.Equal((FailureCode.KvExhausted, PositionBytes * 100), Refusal(await harness.Events.NextAsync()));
    }

    [Fact]
    public async Task Whoever_comes_and_goes_every_request_gets_its_answer_and_all_pages_come_back()
    {
        int seed = Random.Shared.Next();
        output.WriteLine($"seed {seed}");
        Random random = new(seed);
        await using LoopHarness harness = Harness(positions: 400);
        Queue<Request> waiting = new(Enumerable.Range(0, 40).Select(i => new Request(
            [.. Enumerable.Range(0, random.Next(1, 30)).Select(_ => random.Next(FakeStack.PoisonToken))], random.Next(1, 200))
        { RequestedUnixMs = (ulong)i + 1 }));
        Request[] requests = [.. waiting];
        Dictionary<Google.Protobuf.ByteString, Request> open = [];
        int preempted = 0;
        int ended = 0;

        while (waiting.Count + open.Count > 0)
        {
            // As an API node does: in line, and again when something has ended.
            if (waiting.TryPeek(out Request? next))
            {
                OpenSession wish = OpenOf(harness, next, maxPositions: (uint)(next.Prompt.Length + next.Count));
                harness.Loop.Open(wish, harness.Owner);
                next.Id = wish.SessionId;
                int endedBefore = ended;
                while (true)
                {
                    ControlEvent answer = await harness.Events.NextAsync();
                    if (answer.EventCase == ControlEvent.EventOneofCase.Opened)
                    {
                        waiting.Dequeue();
                        open.Add(next.Id, next);
                        harness.Send(LoopHarness.Tokens(wish, 0, 0, true, next.Known));
                        break;
                    }

                    if (answer.EventCase == ControlEvent.EventOneofCase.Failed && answer.Failed.SessionId == next.Id)
                    {
                        Assert.Equal(FailureCode.KvExhausted, answer.Failed.Code);

                        // Of sessions that have ended since, it knew nothing yet.
                        if (ended == endedBefore) await UntilOneEnds();
                        break;
                    }

                    Take(answer);
                }
            }
            else
            {
                await UntilOneEnds();
            }
        }

        Assert.All(requests, request => Assert.Equal(LoopHarness.Reference(request.Prompt, request.Count), request.Tokens));
        await harness.SettleAsync();
        Assert.Equal((0, 0, harness.Loop.KvTotalBytes), (harness.Loop.Gauges.Sessions, harness.Loop.Gauges.KvUsedBytes, harness.Loop.Gauges.KvFreeBytes));
        Assert.Equal(harness.Stack.KvPages, harness.Stack.KvFreePages);
        output.WriteLine($"{preempted} preempted");

        async Task UntilOneEnds()
        {
            Assert.NotEmpty(open);
            int before = ended;
            while (ended == before) Take(await harness.Events.NextAsync());
        }

        void Take(ControlEvent message)
        {
            switch (message.EventCase)
            {
                case ControlEvent.EventOneofCase.Token:
                    Request request = open[message.Token.SessionId];
                    request.Tokens.Add((int)message.Token.Token);
                    if (!message.Token.Last) return;

                    open.Remove(request.Id);
                    ended++;
                    harness.Loop.Close(new CloseSession { SessionId = request.Id }, harness.Owner);
                    return;
                case ControlEvent.EventOneofCase.Failed:
                    Assert.Equal(FailureCode.Preempted, message.Failed.Code);
                    // One that has its last token holds its pages until its closing arrives: it may have to give them before.
                    if (!open.Remove(message.Failed.SessionId, out Request? back)) return;

                    preempted++;
                    ended++;
                    waiting.Enqueue(back);
                    return;
                default:
                    Assert.Equal(ControlEvent.EventOneofCase.Closed, message.EventCase);
                    return;
            }
        }
    }

    private static LoopHarness Harness(int positions, SemaphoreSlim? gate = null) =>
        new(new FakeStack(kvBudget: positions * PositionBytes, pagePositions: Page) { Gate = gate });

    private static (FailureCode Code, long Free) Refusal(ControlEvent answer) => (answer.Failed.Code, answer.Failed.KvFreeBytes);

    private static OpenSession OpenOf(LoopHarness harness, Request request, uint maxPositions)
    {
        OpenSession open = harness.OpenRequest((uint)(request.Count - request.Tokens.Count), maxPositions);
        open.FirstPositions = (uint)request.Known.Length;
        open.RequestedUnixMs = request.RequestedUnixMs;
        return open;
    }

    private static async Task<OpenSession> OpenAsync(LoopHarness harness, Request request, uint maxPositions)
    {
        OpenSession open = OpenOf(harness, request, maxPositions);
        harness.Loop.Open(open, harness.Owner);
        Assert.Equal(open.SessionId, (await harness.Events.NextAsync()).Opened.SessionId);
        return open;
    }

    private sealed class Request(int[] prompt, int count)
    {
        public int[] Prompt { get; } = prompt;

        public int Count { get; } = count;

        public ulong RequestedUnixMs { get; init; }

        public Google.Protobuf.ByteString Id { get; set; } = Google.Protobuf.ByteString.Empty;

        public List<int> Tokens { get; } = [];

        /// <summary>What a replay begins with.</summary>
        public int[] Known => [.. Prompt, .. Tokens];
    }
}
