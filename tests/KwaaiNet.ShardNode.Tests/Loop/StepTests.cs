using CsCheck;
using Google.Protobuf;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Tests.Fakes;

namespace KwaaiNet.ShardNode.Tests.Loop;

public sealed class StepTests
{
    private static readonly int[] s_prompt = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8];

    [Fact]
    public async Task A_single_shard_runs_the_ring_by_itself()
    {
        await using LoopHarness harness = new();
        OpenSession open = await harness.OpenAsync(maxNewTokens: 10);
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, s_prompt));
        Assert.Equal(LoopHarness.Reference(s_prompt, 10), await harness.TokensUntilLastAsync());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    [InlineData(5)]
    [InlineData(64)]
    public async Task How_a_prompt_is_cut_does_not_matter(int chunk)
    {
        await using LoopHarness harness = new(prefillRows: 4);
        OpenSession open = await harness.OpenAsync(maxNewTokens: 6);
        ulong step = 0;
        for (int at = 0; at < s_prompt.Length; at += chunk)
        {
            int[] part = s_prompt[at..Math.Min(at + chunk, s_prompt.Length)];
            harness.Send(LoopHarness.Tokens(open, step++, (uint)at, at + chunk >= s_prompt.Length, part));
        }

        Assert.Equal(LoopHarness.Reference(s_prompt, 6), await harness.TokensUntilLastAsync());
    }

    [Fact]
    public async Task Every_token_says_its_step_and_position()
    {
        await using LoopHarness harness = new();
        OpenSession open = await harness.OpenAsync(maxNewTokens: 3);
        harness.Send(LoopHarness.Tokens(open, 0, 0, false, 1, 2));
        harness.Send(LoopHarness.Tokens(open, 1, 2, true, 3));
        for (uint i = 0; i < 3; i++)
        {
            TokenSampled token = (await harness.Events.NextAsync()).Token;
            Assert.Equal((1u + i, 3 + i, i == 2), ((uint)token.Step, token.Position, token.Last));
        }
    }

    [Fact]
    public async Task Logits_that_nothing_can_be_drawn_from_end_their_session_alone()
    {
        await using LoopHarness harness = new(new FakeStack { BarrenToken = 30 });
        OpenSession other = await harness.OpenAsync(maxNewTokens: 3);
        OpenSession barren = await harness.OpenAsync();
        harness.Send(LoopHarness.Tokens(barren, 0, 0, true, 30));
        SessionFailed failed = (await harness.Events.NextAsync()).Failed;
        Assert.Equal(barren.SessionId, failed.SessionId);
        Assert.Equal(FailureCode.ComputeFailed, failed.Code);

        harness.Send(LoopHarness.Tokens(other, 0, 0, true, s_prompt));
        Assert.Equal(LoopHarness.Reference(s_prompt, 3), await harness.TokensUntilLastAsync());
    }

    [Fact]
    public async Task The_ring_stops_at_an_end_token()
    {
        List<int> reference = LoopHarness.Reference(s_prompt, 10);
        int end = reference[4];
        await using LoopHarness harness = new();
        OpenSession open = await harness.OpenAsync(maxNewTokens: 10, change: request => request.EndTokens.Add((uint)end));
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, s_prompt));
        Assert.Equal(reference[..(reference.IndexOf(end) + 1)], await harness.TokensUntilLastAsync());
    }

    [Fact]
    public async Task The_ring_stops_at_the_end_of_the_reserved_positions()
    {
        await using LoopHarness harness = new();
        OpenSession open = await harness.OpenAsync(maxNewTokens: 100, maxPositions: 16);
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, s_prompt));
        // 12 positions of prompt and 4 more that run; the token drawn from the last one has no place.
        Assert.Equal(LoopHarness.Reference(s_prompt, 5), await harness.TokensUntilLastAsync());
    }

    [Fact]
    public async Task A_middle_shard_sends_hidden_states_on_and_keeps_them()
    {
        await using LoopHarness harness = new(new FakeStack(2, 4), prefillRows: 2);
        OpenSession open = await harness.OpenAsync();
        StepFrame step = LoopHarness.Hidden(open, 0, 0, false, 5);
        harness.Send(step);
        FakeHops.FakeHop hop = harness.Hops.Hops["did:key:next"];
        StepFrame sent = await hop.NextAsync();
        Assert.Equal((0u, 0u, 5u, 4u, false), ((uint)sent.Step, sent.KvLength, sent.Rows, sent.FirstBlock, sent.Sample));
        Assert.Equal(5 * FakeStack.Width * 2, sent.Hidden.Length);
        Assert.Equal(3, harness.Stack.Batches.Count);

        harness.Send(step.Clone());
        Assert.Equal(sent, await hop.NextAsync());
        Assert.Equal(3, harness.Stack.Batches.Count);
    }

    [Fact]
    public async Task The_last_shard_sends_the_token_round_and_answers_a_repeat_from_memory()
    {
        await using LoopHarness harness = new(new FakeStack(4, 6));
        OpenSession open = await harness.OpenAsync();
        StepFrame step = LoopHarness.Hidden(open, 0, 0, true, 2);
        harness.Send(step);
        FakeHops.FakeHop ring = harness.Hops.Hops["did:key:first"];
        StepFrame sent = await ring.NextAsync();
        TokenSampled token = (await harness.Events.NextAsync()).Token;
        Assert.Equal((1u, 2u, 1u, 0u, true), ((uint)sent.Step, sent.KvLength, sent.Rows, sent.FirstBlock, sent.Sample));
        Assert.Equal(token.Token, BitConverter.ToUInt32(sent.Tokens.Span));

        harness.Send(step.Clone());
        Assert.Equal(sent, await ring.NextAsync());
        Assert.Equal(token, (await harness.Events.NextAsync()).Token);
        Assert.Single(harness.Stack.Batches);
    }

    [Fact]
    public async Task A_step_that_already_waits_is_run_once()
    {
        await using LoopHarness harness = new(new FakeStack { Gate = new SemaphoreSlim(0) });
        OpenSession open = await harness.OpenAsync(maxNewTokens: 1);
        harness.Send(LoopHarness.Tokens(open, 0, 0, false, 1));
        await harness.Stack.Entered.WaitAsync(TestContext.Current.CancellationToken);
        harness.Send(LoopHarness.Tokens(open, 1, 1, true, 2));
        harness.Send(LoopHarness.Tokens(open, 1, 1, true, 2));
        harness.Stack.Gate!.Release(100);
        Assert.Single(await harness.TokensUntilLastAsync());
        await harness.SettleAsync();
        // The second copy came while the first waited, or after it ran: then it is answered from memory.
        if (harness.Events.TryNext(out ControlEvent? repeated)) Assert.True(repeated!.Token.Last);
        Assert.Equal(2, harness.Stack.Batches.Count);
    }

    [Fact]
    public async Task A_stranger_cannot_send_steps_nor_end_the_session()
    {
        await using LoopHarness harness = new();
        OpenSession open = await harness.OpenAsync(maxNewTokens: 1);
        (StepStream forged, EventLog<StepRefused> refusals) = LoopHarness.ConnectSteps("did:key:stranger");
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, 7), forged);
        StepRefused refused = await refusals.NextAsync();
        Assert.Equal((open.SessionId, FailureCode.NotAllowed), (refused.SessionId, refused.Code));
        harness.Send(LoopHarness.Tokens(open, 0, 0, true, s_prompt));
        Assert.Equal(LoopHarness.Reference(s_prompt, 1), await harness.TokensUntilLastAsync());
    }

    public static TheoryData<string, FailureCode> BadTokenFrames => new()
    {
        { "later step", FailureCode.KvLengthMismatch },
        { "kv length", FailureCode.KvLengthMismatch },
        { "no rows", FailureCode.BadFrame },
        { "many rows", FailureCode.BadFrame },
        { "block", FailureCode.BadFrame },
        { "short payload", FailureCode.BadFrame },
        { "long payload", FailureCode.BadFrame },
        { "no payload", FailureCode.BadFrame },
        { "hidden for tokens", FailureCode.BadFrame },
        { "token", FailureCode.BadFrame },
        { "negative token", FailureCode.BadFrame },
        { "positions", FailureCode.ContextExceeded },
    };

    [Theory]
    [MemberData(nameof(BadTokenFrames))]
    public async Task A_bad_frame_ends_its_session_and_no_other(string what, FailureCode code)
    {
        await using LoopHarness harness = new();
        OpenSession good = await harness.OpenAsync(maxNewTokens: 4);
        OpenSession open = await harness.OpenAsync(maxPositions: 8);
        StepFrame frame = LoopHarness.Tokens(open, 0, 0, true, 1, 2, 3);
        switch (what)
        {
            case "later step": frame.Step = 1; break;
            case "kv length": frame.KvLength = 1; break;
            case "no rows": (frame.Rows, frame.Tokens) = (0, ByteString.Empty); break;
            case "many rows": frame.Rows = uint.MaxValue; break;
            case "block": frame.FirstBlock = 1; break;
            case "short payload": frame.Tokens = ByteString.CopyFrom(new byte[11]); break;
            case "long payload": frame.Tokens = ByteString.CopyFrom(new byte[13]); break;
            case "no payload": frame.ClearInput(); break;
            case "hidden for tokens": frame.Hidden = frame.Tokens; break;
            case "token": frame.Tokens = ByteString.CopyFrom(1, 0, 0, 0, FakeStack.Vocabulary, 0, 0, 0, 1, 0, 0, 0); break;
            case "negative token": frame.Tokens = ByteString.CopyFrom(255, 255, 255, 255, 0, 0, 0, 0, 1, 0, 0, 0); break;
            case "positions": frame = LoopHarness.Tokens(open, 0, 0, true, new int[9]); break;
        }

        harness.Send(frame);
        Assert.Equal(code, (await harness.Refusals.NextAsync()).Code);
        SessionFailed failed = (await harness.Events.NextAsync()).Failed;
        Assert.Equal((open.SessionId, code), (failed.SessionId, failed.Code));

        harness.Send(LoopHarness.Tokens(good, 0, 0, true, s_prompt));
        Assert.Equal(LoopHarness.Reference(s_prompt, 4), await harness.TokensUntilLastAsync());
    }

    [Theory]
    [InlineData((ushort)0x7C00)] // infinity
    [InlineData((ushort)0xFC00)] // minus infinity
    [InlineData((ushort)0x7E00)] // NaN
    public async Task Hidden_states_that_are_not_numbers_are_refused(ushort bits)
    {
        await using LoopHarness harness = new(new FakeStack(2, 4));
        OpenSession open = await harness.OpenAsync();
        StepFrame frame = LoopHarness.Hidden(open, 0, 0, true, 2);
        byte[] payload = frame.Hidden.ToByteArray();
        (payload[^2], payload[^1]) = ((byte)bits, (byte)(bits >> 8));
        frame.Hidden = ByteString.CopyFrom(payload);
        harness.Send(frame);
        Assert.Equal(FailureCode.BadFrame, (await harness.Refusals.NextAsync()).Code);
        Assert.Empty(harness.Stack.Batches);
    }

    [Fact]
    public async Task Frames_of_no_session_are_refused()
    {
        await using LoopHarness harness = new();
        OpenSession never = harness.OpenRequest();
        harness.Send(LoopHarness.Tokens(never, 0, 0, true, 1));
        Assert.Equal(FailureCode.UnknownSession, (await harness.Refusals.NextAsync()).Code);
        never.SessionId = ByteString.CopyFrom(new byte[1000]);
        harness.Send(LoopHarness.Tokens(never, 0, 0, true, 1));
        StepRefused refused = await harness.Refusals.NextAsync();
        Assert.Equal((FailureCode.UnknownSession, 0), (refused.Code, refused.SessionId.Length));
    }

    [Fact]
    public async Task A_lost_hop_ends_the_sessions_that_use_it_and_names_the_node()
    {
        await using LoopHarness harness = new(new FakeStack(0, 3));
        OpenSession lost = await harness.OpenAsync();
        OpenSession other = await harness.OpenAsync(change: request => request.Next.NodeId = "did:key:other");
        harness.Loop.OnLost(harness.Hops.Hops["did:key:next"], "gone");
        SessionFailed failed = (await harness.Events.NextAsync()).Failed;
        Assert.Equal((lost.SessionId, FailureCode.NextHopLost, "did:key:next"), (failed.SessionId, failed.Code, failed.NodeId));
        await harness.SettleAsync();
        Assert.Equal(1, harness.Loop.Gauges.Sessions);
        harness.Send(LoopHarness.Tokens(other, 0, 0, true, 1));
        Assert.NotNull(await harness.Hops.Hops["did:key:other"].NextAsync());
    }

    [Fact]
    public async Task A_refusal_by_the_next_node_reaches_the_owner()
    {
        await using LoopHarness harness = new(new FakeStack(0, 3));
        OpenSession open = await harness.OpenAsync();
        harness.Loop.OnRefused(
            harness.Hops.Hops["did:key:next"],
            new StepRefused { SessionId = open.SessionId, Step = 4, Code = FailureCode.UnknownSession, Message = "no" });
        SessionFailed failed = (await harness.Events.NextAsync()).Failed;
        Assert.Equal((FailureCode.UnknownSession, "did:key:next"), (failed.Code, failed.NodeId));
    }

    [Fact]
    public async Task No_malformed_frame_hurts_another_session()
    {
        Gen<StepFrame> frames =
            from step in Gen.OneOf(Gen.Const(0UL), Gen.ULong[0, 3], Gen.ULong)
            from kvLength in Gen.OneOf(Gen.Const(0U), Gen.UInt[0, 80], Gen.UInt)
            from rows in Gen.OneOf(Gen.Const(2U), Gen.UInt[0, 70], Gen.UInt)
            from firstBlock in Gen.OneOf(Gen.Const(0U), Gen.UInt)
            from payload in Gen.OneOf(Gen.Const(new byte[8]), Gen.Byte.Array[0, 300])
            from kind in Gen.Int[0, 2]
            from sample in Gen.Bool
            from foreignId in Gen.OneOf(Gen.Int[0, 0].Select(_ => (byte[]?)null), Gen.Byte.Array[0, 40].Select(bytes => (byte[]?)bytes))
            select Frame(step, kvLength, rows, firstBlock, payload, kind, sample, foreignId);

        // Seeds of failures are printed by CsCheck; one thread, because every case runs a loop of its own.
        await frames.Array[1, 12].SampleAsync(HurtsNobodyAsync, iter: 150, threads: 1);
    }

    private static StepFrame Frame(ulong step, uint kvLength, uint rows, uint firstBlock, byte[] payload, int kind, bool sample, byte[]? foreignId)
    {
        StepFrame frame = new() { Step = step, KvLength = kvLength, Rows = rows, FirstBlock = firstBlock, Sample = sample };
        if (kind == 0) frame.Tokens = ByteString.CopyFrom(payload);
        if (kind == 1) frame.Hidden = ByteString.CopyFrom(payload);
        if (foreignId is not null) frame.SessionId = ByteString.CopyFrom(foreignId);
        return frame;
    }

    private static async Task HurtsNobodyAsync(StepFrame[] frames)
    {
        await using LoopHarness harness = new();
        OpenSession good = await harness.OpenAsync(maxNewTokens: 3);
        (SessionOwner owner, EventLog<ControlEvent> events) = LoopHarness.Connect(LoopHarness.Api);
        OpenSession victim = harness.OpenRequest(maxNewTokens: 2);
        harness.Loop.Open(victim, owner);
        Assert.NotNull((await events.NextAsync()).Opened);
        foreach (StepFrame frame in frames)
        {
            StepFrame sent = frame.Clone();
            if (sent.SessionId.IsEmpty) sent.SessionId = victim.SessionId;
            harness.Send(sent);
        }

        harness.Send(LoopHarness.Tokens(good, 0, 0, true, s_prompt));
        Assert.Equal(LoopHarness.Reference(s_prompt, 3), await harness.TokensUntilLastAsync());
        harness.Loop.Close(new CloseSession { SessionId = victim.SessionId }, owner);
        harness.Loop.Close(new CloseSession { SessionId = good.SessionId }, harness.Owner);
        await harness.SettleAsync();
        Assert.Equal((0L, 0, 0), (harness.Loop.Gauges.KvUsedBytes, harness.Loop.Gauges.Sessions, harness.Loop.Gauges.WaitingSteps));
    }
}
