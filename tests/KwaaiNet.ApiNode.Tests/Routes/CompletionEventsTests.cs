using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using KwaaiNet.ApiNode.OpenAIJson;
using KwaaiNet.ApiNode.Routes;
using KwaaiNet.ApiNode.Tests.Fakes;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Routes;

/// <summary>Events are put together from parts; to the last byte they are what the serializer writes.</summary>
public sealed class CompletionEventsTests
{
    private const int Created = 1_700_000_000;

    // A long one spans several buffers; the last looks like the place where texts are put.
    private static readonly string[] s_texts =
    [
        "Hello", " ", "\"", "\\", "\r\n\t\0\u0001\u001f\u007f\u0085", "Grüß dich", "日本語", "😀", "\ud83d", "\ude00", "a\ud83db", "\u2028\u2029\ufeff\ufffd\uffff", "<b>&'+`/",
        new('x', 100_000), new('ü', 50_000), "\"delta\":{\"content\":\"\"}", "\",\"finish_reason\":\"stop\"",
    ];

    [Theory]
    [InlineData(false, "demo", "fp_1")]
    [InlineData(true, "demo", null)]
    [InlineData(false, "a \"delta\":{\"content\":\"\"} ü\u2028", "\"choices\":[]")]
    [InlineData(true, "", "")]
    public async Task They_are_what_the_serializer_writes(bool hasUsage, string model, string? fingerprint)
    {
        Answer answer = new(hasUsage, model, fingerprint);
        answer.Events.WriteRole(answer.Update([]));
        await answer.ExpectAsync(new ChunkDelta("assistant", ""));
        foreach (string text in s_texts)
        {
            answer.Events.Write(answer.Update([new TextContent(text)]));
            await answer.ExpectAsync(new ChunkDelta(null, text));
            answer.Events.Write(answer.Update([new TextContent(text), new TextContent("and more")]));
            await answer.ExpectAsync(new ChunkDelta(null, text + "and more"));
        }

        LogprobContent[] logprobs = [new("\"", -0.25f, [34], [new LogprobAlternative("ü", float.MinValue, null)])];
        answer.Events.Write(answer.Update([new TextContent("\"")], logprobs));
        await answer.ExpectAsync(new ChunkDelta(null, "\""), logprobs: logprobs);
        answer.Events.Write(answer.Update([], logprobs));
        await answer.ExpectAsync(new ChunkDelta(null, ""), logprobs: logprobs);
        answer.Events.Write(answer.Update([], []));
        await answer.ExpectNothingAsync();
        answer.Events.Write(answer.Update([new TextContent("text again")]));
        await answer.ExpectAsync(new ChunkDelta(null, "text again"));

        answer.Events.WriteFinish(ChatFinishReason.Length);
        await answer.ExpectAsync(new ChunkDelta(null, null), "length");
        answer.Events.WriteUsage(new UsageDetails { InputTokenCount = 1, OutputTokenCount = 2, TotalTokenCount = 3, CachedInputTokenCount = 0 });
        if (hasUsage) await answer.ExpectUsageAsync(new CompletionUsage(1, 2, 3) { PromptTokensDetails = new PromptTokensDetails(0) });
        else await answer.ExpectNothingAsync();
    }

    [Fact]
    public async Task What_an_update_says_otherwise_stands_in_its_event_and_those_behind_it()
    {
        Answer answer = new(hasUsage: false, "demo", "fp_1");
        foreach (string model in new[] { "one", "one", "other" })
        {
            answer.Model = model;
            answer.Events.Write(answer.Update([new TextContent("a")]));
            await answer.ExpectAsync(new ChunkDelta(null, "a"));
        }

        ChatResponseUpdate bare = new(ChatRole.Assistant, "b");
        answer.Events.Write(bare);
        await answer.ExpectAsync(new ChunkDelta(null, "b"));
    }

    [Fact]
    public void An_event_with_text_allocates_nothing_once_warm()
    {
        DiscardedBody body = new();
        CompletionEvents events = new(body, "demo", hasUsage: false);
        ChatResponseUpdate update = new(ChatRole.Assistant, "Grüß \"dich\" 😀") { ResponseId = "chatcmpl-1", ModelId = "demo", CreatedAt = DateTimeOffset.UnixEpoch };
        Write();
        long before = GC.GetAllocatedBytesForCurrentThread();
        Write();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Write()
        {
            for (int i = 0; i < 1_000; i++)
            {
                events.Write(update);
                _ = body.FlushAsync(CancellationToken.None);
            }
        }
    }

    private sealed class Answer
    {
        private readonly Pipe _pipe = new(new PipeOptions(pauseWriterThreshold: 0));
        private readonly bool _hasUsage;
        private readonly string? _fingerprint;

        public Answer(bool hasUsage, string model, string? fingerprint)
        {
            _hasUsage = hasUsage;
            _fingerprint = fingerprint;
            Model = model;
            Events = new CompletionEvents(_pipe.Writer, model, hasUsage);
        }

        public CompletionEvents Events { get; }

        public string Model { get; set; }

        public ChatResponseUpdate Update(IList<AIContent> contents, IReadOnlyList<LogprobContent>? logprobs = null)
        {
            ChatResponseUpdate update = new(ChatRole.Assistant, contents)
            {
                ResponseId = "chatcmpl-1",
                ModelId = Model,
                CreatedAt = DateTimeOffset.FromUnixTimeSeconds(Created),
                AdditionalProperties = [],
            };
            if (_fingerprint is not null) update.AdditionalProperties["system_fingerprint"] = _fingerprint;
            if (logprobs is not null) update.AdditionalProperties["logprobs"] = logprobs;
            return update;
        }

        public Task ExpectAsync(ChunkDelta delta, string? finish = null, IReadOnlyList<LogprobContent>? logprobs = null) =>
            ExpectAsync([new ChunkChoice(0, delta, finish) { Logprobs = logprobs is null ? null : new CompletionLogprobs(logprobs) }], null);

        public Task ExpectUsageAsync(CompletionUsage usage) => ExpectAsync([], usage);

        public async Task ExpectNothingAsync() => Assert.Equal("", await ReadAsync());

        private async Task ExpectAsync(IReadOnlyList<ChunkChoice> choices, CompletionUsage? usage)
        {
            string json = _hasUsage
                ? JsonSerializer.Serialize(
                    new CompletionChunkWithUsage("chatcmpl-1", CompletionChunk.ObjectName, Created, Model, _fingerprint, choices, usage), ApiJsonContext.Unescaped.CompletionChunkWithUsage)
                : JsonSerializer.Serialize(
                    new CompletionChunk("chatcmpl-1", CompletionChunk.ObjectName, Created, Model, _fingerprint, choices), ApiJsonContext.Unescaped.CompletionChunk);
            Assert.Equal($"data: {json}\n\n", await ReadAsync());
        }

        private async Task<string> ReadAsync()
        {
            await _pipe.Writer.FlushAsync(TestContext.Current.CancellationToken);
            if (!_pipe.Reader.TryRead(out ReadResult read)) return "";
            string text = Encoding.UTF8.GetString(read.Buffer);
            _pipe.Reader.AdvanceTo(read.Buffer.End);
            return text;
        }
    }
}
