using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Scheduling;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Loop;

public sealed class SessionTests
{
    [Fact]
    public async Task Opening_takes_nothing_but_what_is_expected_is_not_offered_to_others()
    {
        await using LoopHarness harness = new();
        long free = harness.Stack.KvFreeBytes;
        OpenSession open = harness.OpenRequest();
        harness.Loop.Open(open, harness.Owner);
        SessionOpened opened = (await harness.Events.NextAsync()).Opened;
        await harness.SettleAsync();
        Assert.Equal((0, 0), (opened.KvBytes, harness.Loop.Gauges.KvUsedBytes));

        // It does not say how long its prompt is: it is taken at its limit.
        Assert.Equal(free - (16 * FakeStack.BlockCount * 64), harness.Loop.Gauges.KvFreeBytes);

        harness.Loop.Close(new CloseSession { SessionId = open.SessionId }, harness.Owner);
        Assert.Equal(open.SessionId, (await harness.Events.NextAsync()).Closed.SessionId);
        await harness.SettleAsync();
        Assert.Equal(free, harness.Loop.Gauges.KvFreeBytes);
        Assert.Equal(0, harness.Loop.Gauges.Sessions);
    }

    [Fact]
    public async Task Closing_what_is_not_open_is_answered()
    {
        await using LoopHarness harness = new();
        harness.Loop.Close(new CloseSession { SessionId = LoopHarness.NewId() }, harness.Owner);
        Assert.Equal(ControlEvent.EventOneofCase.Closed, (await harness.Events.NextAsync()).EventCase);
    }

    [Fact]
    public async Task A_second_session_of_the_same_id_is_refused_and_the_first_lives()
    {
        await using LoopHarness harness = new();
        OpenSession open = await harness.OpenAsync(maxNewTokens: 1);
        harness.Loop.Open(open.Clone(), harness.Owner);
        Assert.Equal(FailureCode.NotAllowed, (await harness.Events.NextAsync()).Failed.Code);
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, 1, 2));
        Assert.True((await harness.Events.NextAsync()).Token.Last);
    }

    [Fact]
    public async Task Only_the_owner_closes_a_session()
    {
        await using LoopHarness harness = new();
        OpenSession open = await harness.OpenAsync();
        (SessionOwner stranger, EventLog<ControlEvent> events) = LoopHarness.Connect("did:key:stranger");
        harness.Loop.Close(new CloseSession { SessionId = open.SessionId }, stranger);
        Assert.Equal(FailureCode.NotAllowed, (await events.NextAsync()).Failed.Code);
        await harness.SettleAsync();
        Assert.Equal(1, harness.Loop.Gauges.Sessions);
    }

    [Fact]
    public async Task A_model_whose_hidden_states_outgrow_binary16_is_served_in_float32_only()
    {
        await using LoopHarness harness = new(new FakeStack(hiddenExceedsHalf: true));
        OpenSession half = harness.OpenRequest();
        harness.Loop.Open(half, harness.Owner);
        SessionFailed refused = (await harness.Events.NextAsync()).Failed;
        Assert.Equal((half.SessionId, FailureCode.BadFrame), (refused.SessionId, refused.Code));
        Assert.Contains("F32", refused.Message, StringComparison.Ordinal);

        OpenSession single = harness.OpenRequest();
        single.HiddenFormat = HiddenEncoding.F32;
        harness.Loop.Open(single, harness.Owner);
        Assert.Equal(single.SessionId, (await harness.Events.NextAsync()).Opened.SessionId);
    }

    [Fact]
    public async Task A_broken_control_stream_closes_its_sessions_and_no_others()
    {
        await using LoopHarness harness = new();
        await harness.OpenAsync();
        (SessionOwner other, EventLog<ControlEvent> events) = LoopHarness.Connect(LoopHarness.Api);
        for (int i = 0; i < 3; i++)
        {
            harness.Loop.Open(harness.OpenRequest(), other);
            Assert.NotNull((await events.NextAsync()).Opened);
        }

        other.Leave();
        harness.Loop.CloseAllOf(other);
        harness.Loop.Open(harness.OpenRequest(), other); // stood in line behind the break
        await harness.SettleAsync();
        Assert.Equal(1, harness.Loop.Gauges.Sessions);
    }

    [Fact]
    public async Task An_idle_session_expires_and_one_that_works_does_not()
    {
        await using LoopHarness harness = new(ttlSeconds: 600);
        OpenSession idle = await harness.OpenAsync();
        OpenSession busy = await harness.OpenAsync(maxNewTokens: 1);
        harness.Time.Advance(TimeSpan.FromSeconds(400));
        harness.Send(LoopHarness.Tokens(busy, 0, 0, true, 1));
        Assert.Equal(busy.SessionId, (await harness.Events.NextAsync()).Token.SessionId);
        harness.Time.Advance(TimeSpan.FromSeconds(300));
        SessionFailed failed = (await harness.Events.NextAsync()).Failed;
        Assert.Equal(idle.SessionId, failed.SessionId);
        Assert.Equal(FailureCode.SessionExpired, failed.Code);
        await harness.SettleAsync();
        Assert.Equal(1, harness.Loop.Gauges.Sessions);
    }

    [Fact]
    public async Task A_session_that_only_hears_from_itself_is_not_idle()
    {
        using SemaphoreSlim gate = new(0);
        await using LoopHarness harness = new(new FakeStack { Gate = gate }, ttlSeconds: 600);
        OpenSession open = await harness.OpenAsync(maxNewTokens: 4);
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, 1));
        for (int i = 0; i < 4; i++)
        {
            await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
            harness.Time.Advance(TimeSpan.FromSeconds(400));
            gate.Release();
            Assert.Equal(ControlEvent.EventOneofCase.Token, (await harness.Events.NextAsync()).EventCase);
        }
    }

    [Fact]
    public async Task A_budget_without_room_refuses_takes_nothing_and_says_what_is_free()
    {
        const int PositionBytes = 16 * FakeStack.BlockCount;
        await using LoopHarness harness = new(new FakeStack(kvBudget: PositionBytes * 100));
        await harness.OpenAsync();
        harness.Loop.Open(harness.OpenRequest(), harness.Owner);
        SessionFailed refused = (await harness.Events.NextAsync()).Failed;
        Assert.Equal((FailureCode.KvExhausted, PositionBytes * 36L), (refused.Code, refused.KvFreeBytes));
        Assert.Equal((PositionBytes * 100L, 16), (harness.Loop.KvTotalBytes, harness.Loop.KvBytesPerBlockPosition));
        await harness.SettleAsync();
        Assert.Equal(1, harness.Loop.Gauges.Sessions);
    }

    [Fact]
    public async Task More_sessions_than_allowed_are_refused()
    {
        await using LoopHarness harness = new(maxSessions: 1);
        await harness.OpenAsync();
        harness.Loop.Open(harness.OpenRequest(), harness.Owner);
        SessionFailed refused = (await harness.Events.NextAsync()).Failed;
        Assert.Equal((FailureCode.KvExhausted, true, 0), (refused.Code, refused.HasKvFreeBytes, refused.KvFreeBytes));
    }

    public static TheoryData<string, FailureCode> BadRequests => new()
    {
        { "version", FailureCode.VersionMismatch },
        { "id", FailureCode.BadFrame },
        { "model", FailureCode.WeightsMismatch },
        { "weights", FailureCode.WeightsMismatch },
        { "empty range", FailureCode.RangeNotHeld },
        { "range", FailureCode.RangeNotHeld },
        { "format", FailureCode.BadFrame },
        { "no positions", FailureCode.ContextExceeded },
        { "positions", FailureCode.ContextExceeded },
        { "no sources", FailureCode.BadFrame },
        { "many sources", FailureCode.BadFrame },
        { "next on last", FailureCode.BadFrame },
        { "no next", FailureCode.BadFrame },
        { "http", FailureCode.BadFrame },
        { "self", FailureCode.BadFrame },
        { "foreign ring", FailureCode.BadFrame },
        { "temperature", FailureCode.BadFrame },
        { "top_p", FailureCode.BadFrame },
        { "end tokens", FailureCode.BadFrame },
        { "version 1 with more", FailureCode.BadFrame },
        { "min_p", FailureCode.BadFrame },
        { "typical_p", FailureCode.BadFrame },
        { "repetition penalty", FailureCode.BadFrame },
        { "repeat_last_n", FailureCode.BadFrame },
        { "presence penalty", FailureCode.BadFrame },
        { "bias token", FailureCode.BadFrame },
        { "bias number", FailureCode.BadFrame },
        { "many biases", FailureCode.BadFrame },
        { "top_logprobs", FailureCode.BadFrame },
        { "no history", FailureCode.BadFrame },
        { "history for nothing", FailureCode.BadFrame },
        { "ragged history", FailureCode.BadFrame },
        { "history token", FailureCode.BadFrame },
        { "history generated", FailureCode.BadFrame },
        { "long history", FailureCode.BadFrame },
        { "short history", FailureCode.BadFrame },
    };

    [Theory]
    [MemberData(nameof(BadRequests))]
    public async Task A_request_that_does_not_fit_is_refused_with_its_code(string what, FailureCode code)
    {
        await using LoopHarness harness = new();
        OpenSession open = harness.OpenRequest();
        Spoil(open, what);
        harness.Loop.Open(open, harness.Owner);
        SessionFailed failed = (await harness.Events.NextAsync()).Failed;
        Assert.Equal(code, failed.Code);
        Assert.NotEmpty(failed.Message);
        Assert.Equal(LoopHarness.Self, failed.NodeId);
        await harness.SettleAsync();
        Assert.Equal(0, harness.Loop.Gauges.KvUsedBytes);
    }

    [Fact]
    public async Task A_session_may_use_a_part_of_what_is_held()
    {
        await using LoopHarness harness = new(new FakeStack(0, 4));
        OpenSession open = await harness.OpenAsync(change: request => request.EndBlock = 2);
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, 3, 4));
        StepFrame frame = await harness.Hops.Hops["did:key:next"].NextAsync();
        Assert.Equal(2u, frame.FirstBlock);
    }

    [Fact]
    public async Task A_draining_shard_takes_no_sessions_and_lets_the_open_ones_finish()
    {
        await using LoopHarness harness = new();
        OpenSession open = await harness.OpenAsync(maxNewTokens: 2);
        Task drained = harness.Loop.DrainAsync();
        harness.Loop.Open(harness.OpenRequest(), harness.Owner);
        Assert.Equal(FailureCode.Draining, (await harness.Events.NextAsync()).Failed.Code);
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, 5));
        Assert.Equal(2, (await harness.TokensUntilLastAsync()).Count);
        Assert.False(drained.IsCompleted);
        harness.Loop.Close(new CloseSession { SessionId = open.SessionId }, harness.Owner);
        await drained.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_shard_that_stops_tells_the_owners()
    {
        LoopHarness harness = new();
        await harness.OpenAsync();
        await harness.DisposeAsync();
        Assert.Equal(FailureCode.Draining, (await harness.Events.NextAsync()).Failed.Code);
        Assert.Equal(LoopEnd.Stopped, await harness.Loop.Ended);
        Assert.Equal(harness.Stack.Options.KvBudgetBytes, harness.Stack.KvFreeBytes);
    }

    private static void Spoil(OpenSession open, string what)
    {
        Hop hop = new() { NodeId = "did:key:next", Endpoint = "https://127.0.0.1:1" };
        switch (what)
        {
            case "version": open.ProtocolVersion = 3; break;
            case "id": open.SessionId = Google.Protobuf.ByteString.CopyFrom(new byte[15]); break;
            case "model": open.Model = "other"; break;
            case "weights": open.WeightsHash = new string('b', 64); break;
            case "empty range": open.FirstBlock = open.EndBlock; break;
            case "range": open.EndBlock = FakeStack.BlockCount + 1; break;
            case "format": open.HiddenFormat = (HiddenEncoding)77; break;
            case "no positions": open.MaxPositions = 0; break;
            case "positions": open.MaxPositions = 257; break;
            case "no sources": open.StepSources.Clear(); break;
            case "many sources": open.StepSources.Add(Enumerable.Repeat("did:key:x", 20)); break;
            case "next on last": open.Next = hop; break;
            case "no next": open.EndBlock = 3; break;
            case "http": (open.EndBlock, open.Next) = (3, new Hop { NodeId = "did:key:x", Endpoint = "http://127.0.0.1:1" }); break;
            case "self": (open.EndBlock, open.Next) = (3, new Hop { NodeId = LoopHarness.Self, Endpoint = "https://127.0.0.1:1" }); break;
            case "foreign ring": open.Ring = hop; break;
            case "temperature": open.Sampling.Temperature = float.NaN; break;
            case "top_p": open.Sampling.TopP = 1.5f; break;
            case "end tokens": open.EndTokens.Add(Enumerable.Repeat(1u, 300)); break;
            default: SpoilSampling(open, what); break;
        }
    }

    private static void SpoilSampling(OpenSession open, string what)
    {
        open.ProtocolVersion = 2;
        Sampling sampling = open.Sampling;
        // Complete and right but for one thing.
        sampling.PresencePenalty = 0.5f;
        sampling.History = new PriorTokens { Position = 3, Generated = 2, Tokens = Ids(1, 2) };
        switch (what)
        {
            case "version 1 with more": open.ProtocolVersion = 1; break;
            case "min_p": sampling.MinP = -0.1f; break;
            case "typical_p": sampling.TypicalP = 0; break;
            case "repetition penalty": sampling.RepetitionPenalty = float.NaN; break;
            case "repeat_last_n": sampling.RepeatLastN = -2; break;
            case "presence penalty": sampling.PresencePenalty = float.PositiveInfinity; break;
            case "bias token": sampling.LogitBias.Add(new TokenBias { Token = FakeStack.Vocabulary, Bias = 1 }); break;
            case "bias number": sampling.LogitBias.Add(new TokenBias { Token = 1, Bias = float.NaN }); break;
            case "many biases": sampling.LogitBias.Add(Enumerable.Repeat(new TokenBias(), 1025)); break;
            case "top_logprobs": sampling.TopLogprobs = 21; break;
            case "no history": sampling.History = null; break;
            case "history for nothing": sampling.PresencePenalty = 0; break;
            case "ragged history": sampling.History.Tokens = Google.Protobuf.ByteString.CopyFrom(new byte[7]); break;
            case "history token": sampling.History.Tokens = Ids(1, FakeStack.Vocabulary); break;
            case "history generated": sampling.History.Generated = 3; break;
            case "long history": sampling.History.Position = uint.MaxValue; break;
            case "short history": (sampling.RepetitionPenalty, sampling.RepeatLastN) = (1.1f, 4); break;
            default: throw new ArgumentOutOfRangeException(nameof(what), what, null);
        }
    }

    private static Google.Protobuf.ByteString Ids(params int[] ids) =>
        Google.Protobuf.ByteString.CopyFrom([.. ids.SelectMany(id => new[] { (byte)id, (byte)0, (byte)0, (byte)0 })]);
}
