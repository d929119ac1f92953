using System.Text.Json;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Tests.Fakes;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Routes;

public sealed class ChatCompletionWireTests
{
    private const string Ask = """{"model":"demo","messages":[{"role":"user","content":"Hi"}]}""";
    private const string AskStream = """{"model":"demo","messages":[{"role":"user","content":"Hi"}],"stream":true}""";
    private const string AskUsage = """{"model":"demo","messages":[{"role":"user","content":"Hi"}],"stream":true,"stream_options":{"include_usage":true}}""";
    private const string Head = "\"id\":\"chatcmpl-1\",\"object\":\"chat.completion.chunk\",\"created\":1700000000,\"model\":\"demo\",\"system_fingerprint\":\"fp_1\"";

    [Fact]
    public async Task A_whole_answer_is_written_as_OpenAI_writes_it()
    {
        await using ApiHost host = await ApiHost.StartAsync(chat: Answer());

        using HttpResponseMessage response = await host.PostAsync(Ask);

        Assert.Equal("application/json", response.Content.Headers.ContentType?.MediaType);
        Assert.Equal(
            """{"id":"chatcmpl-1","object":"chat.completion","created":1700000000,"model":"demo","choices":[{"index":0,"message":{"role":"assistant","content":"Grüß \"dich\"","refusal":null},"finish_reason":"stop","logprobs":null}],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5},"system_fingerprint":"fp_1"}""",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_streamed_answer_is_role_text_finish_reason_and_done()
    {
        await using ApiHost host = await ApiHost.StartAsync(chat: Answer());

        Assert.Equal(
            [
                $$$"""{{{{Head}}},"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"logprobs":null}]}""",
                $$$"""{{{{Head}}},"choices":[{"index":0,"delta":{"content":"Grüß "},"finish_reason":null,"logprobs":null}]}""",
                $$$"""{{{{Head}}},"choices":[{"index":0,"delta":{"content":"\"dich\""},"finish_reason":null,"logprobs":null}]}""",
                $$$"""{{{{Head}}},"choices":[{"index":0,"delta":{},"finish_reason":"stop","logprobs":null}]}""",
                "[DONE]",
            ],
            await host.StreamAsync(AskStream));
    }

    [Fact]
    public async Task Usage_is_one_more_chunk_without_choices_and_null_before_it()
    {
        await using ApiHost host = await ApiHost.StartAsync(chat: Answer());

        List<string> events = await host.StreamAsync(AskUsage);

        Assert.Equal($$$"""{{{{Head}}},"choices":[{"index":0,"delta":{},"finish_reason":"stop","logprobs":null}],"usage":null}""", events[^3]);
        Assert.Equal($$$"""{{{{Head}}},"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":2,"total_tokens":5}}""", events[^2]);
        Assert.Equal("[DONE]", events[^1]);
    }

    [Fact]
    public async Task A_failure_before_the_first_token_has_a_real_status_also_in_a_stream()
    {
        await using ApiHost host = await ApiHost.StartAsync(chat: new FakeChatClient { Failure = new ChainLostException("gone") });

        using HttpResponseMessage response = await host.PostAsync(AskStream);

        Assert.Equal(503, (int)response.StatusCode);
        Assert.Equal("5", response.Headers.RetryAfter?.ToString());
        Assert.Equal(
            """{"error":{"message":"gone","type":"server_error","param":null,"code":"chain_lost"}}""",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_failure_in_the_middle_is_an_event_and_nothing_is_invented_behind_it()
    {
        FakeChatClient chat = new(new ChatResponseUpdate(ChatRole.Assistant, "He")) { Failure = new ChainLostException("gone") };
        await using ApiHost host = await ApiHost.StartAsync(chat: chat);

        List<string> events = await host.StreamAsync(AskStream);

        Assert.Equal("""{"error":{"message":"gone","type":"server_error","param":null,"code":"chain_lost"}}""", events[^1]);
        Assert.DoesNotContain(events, line => line.Contains("\"finish_reason\":\"", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_fault_in_the_middle_is_an_event_as_well()
    {
        FakeChatClient chat = new(new ChatResponseUpdate(ChatRole.Assistant, "He")) { Failure = new NotSupportedException("secret") };
        await using ApiHost host = await ApiHost.StartAsync(chat: chat);
        List<string> events = await host.StreamAsync(AskStream);
        Assert.Contains("internal_error", events[^1], StringComparison.Ordinal);
        Assert.DoesNotContain("secret", events[^1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_fault_is_an_error_object_without_its_details()
    {
        await using ApiHost host = await ApiHost.StartAsync(chat: new FakeChatClient { Failure = new NotSupportedException("secret") });

        using HttpResponseMessage response = await host.PostAsync(Ask);

        Assert.Equal(500, (int)response.StatusCode);
        Assert.Equal(
            """{"error":{"message":"The server failed while handling the request. Its log says why.","type":"server_error","param":null,"code":"internal_error"}}""",
            await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Variables_of_the_request_reach_the_models_template()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        const string Body = "\"model\":\"demo\",\"max_tokens\":1,\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

        (int status, JsonElement plain) = await host.AskAsync($"{{{Body}}}");
        (int other, JsonElement steered) = await host.AskAsync($"{{{Body},\"chat_template_kwargs\":{{\"enable_thinking\":false}}}}");

        Assert.Equal((200, 200), (status, other));
        Assert.Equal("enable_thinking=False;".Length, PromptTokens(steered) - PromptTokens(plain));

        static int PromptTokens(JsonElement reply) => reply.GetProperty("usage").GetProperty("prompt_tokens").GetInt32();
    }

    [Fact]
    public async Task Every_parameter_reaches_the_chat_client()
    {
        FakeChatClient chat = Answer();
        await using ApiHost host = await ApiHost.StartAsync(chat: chat);

        (int status, _) = await host.AskAsync(
            """
            {"model":"old","model":"demo","messages":[
               {"role":"system","content":"S"},{"role":"developer","content":"D"},
               {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"me"},
               {"role":"assistant","content":null},{"role":"tool","content":"T","tool_call_id":"1"},{"role":"user","content":""}],
             "temperature":0.5,"top_p":0.9,"top_k":40,"seed":-7,"max_tokens":9,"max_completion_tokens":8,"stop":["x","y"],
             "n":1,"presence_penalty":-0.5,"frequency_penalty":2,"logit_bias":{"50":-100,"7":2.5},"logprobs":true,"top_logprobs":20,"tools":[],
             "min_p":0.05,"typical_p":0.9,"repetition_penalty":1.1,"repeat_last_n":-1,"mirostat":0,"response_format":{"type":"text"},
             "user":"u","metadata":{"a":"b"},"store":true,"parallel_tool_calls":true,"something_new":[1],"stream":null,"kwaainet_trust_tier":"Unknown"}
            """);

        Assert.Equal(200, status);
        Assert.Equal(["system", "developer", "user", "assistant", "tool", "user"], chat.Messages.Select(message => message.Role.Value));
        Assert.Equal(["S", "D", "ab", "", "T", ""], chat.Messages.Select(message => message.Text));
        ChatOptions options = chat.Options!;
        Assert.Equal(("demo", 0.5f, 0.9f, 40), (options.ModelId, options.Temperature, options.TopP, options.TopK));
        Assert.Equal((-7L, 8), (options.Seed, options.MaxOutputTokens));
        Assert.Equal(["x", "y"], options.StopSequences);
        Assert.Equal((-0.5f, 2f), (options.PresencePenalty, options.FrequencyPenalty));
        Assert.Equal("Unknown", options.AdditionalProperties!["kwaainet_trust_tier"]);
        Assert.Equal(
            (true, 20L, 0.05, 0.9, 1.1, -1L),
            ((bool)options.AdditionalProperties["logprobs"]!, (long)options.AdditionalProperties["top_logprobs"]!, (double)options.AdditionalProperties["min_p"]!,
                (double)options.AdditionalProperties["typical_p"]!, (double)options.AdditionalProperties["repetition_penalty"]!, (long)options.AdditionalProperties["repeat_last_n"]!));
        Assert.Equal(
            new Dictionary<int, float> { [50] = -100, [7] = 2.5f }, Assert.IsType<IReadOnlyDictionary<int, float>>(options.AdditionalProperties["logit_bias"], exactMatch: false));
    }

    private static FakeChatClient Answer() => new(
        new ChatResponseUpdate(ChatRole.Assistant, []) { AdditionalProperties = new() { ["system_fingerprint"] = "fp_1" } },
        new ChatResponseUpdate(ChatRole.Assistant, "Grüß "),
        new ChatResponseUpdate(ChatRole.Assistant, "\"dich\""),
        new ChatResponseUpdate(
            ChatRole.Assistant, [new UsageContent(new UsageDetails { InputTokenCount = 3, OutputTokenCount = 2, TotalTokenCount = 5 })])
        {
            FinishReason = ChatFinishReason.Stop,
        });

}
