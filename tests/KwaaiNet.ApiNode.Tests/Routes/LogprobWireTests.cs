using System.Text.Json;
using KwaaiNet.ApiNode.Tests.Fakes;

namespace KwaaiNet.ApiNode.Tests.Routes;

/// <summary>OpenAI's <c>logprobs</c>, whole and streamed, to the last character.</summary>
public sealed class LogprobWireTests
{
    private const string Ask = "\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}],\"temperature\":0,\"logprobs\":true";

    [Fact]
    public async Task A_whole_answer_carries_every_token_but_the_end_token()
    {
        Assert.Equal(
            """{"content":[{"token":"H","logprob":-0.25,"bytes":[72],"top_logprobs":[{"token":"H","logprob":-0.25,"bytes":[72]},{"token":"b","logprob":-2.5,"bytes":[98]},{"token":"","logprob":-9999,"bytes":null}]},{"token":"o","logprob":-0.25,"bytes":[111],"top_logprobs":[{"token":"o","logprob":-0.25,"bytes":[111]},{"token":"b","logprob":-2.5,"bytes":[98]},{"token":"","logprob":-9999,"bytes":null}]}],"refusal":null}""",
            await LogprobsAsync("Ho", ",\"top_logprobs\":3"));
    }

    [Theory]
    [InlineData("Ho", "", """{"content":[{"token":"H","logprob":-0.25,"bytes":[72],"top_logprobs":[]},{"token":"o","logprob":-0.25,"bytes":[111],"top_logprobs":[]}],"refusal":null}""")]
    [InlineData("", "", """{"content":[],"refusal":null}""")]
    // Two tokens that are half a character each.
    [InlineData("ü", "", """{"content":[{"token":"�","logprob":-0.25,"bytes":[195],"top_logprobs":[]},{"token":"�","logprob":-0.25,"bytes":[188],"top_logprobs":[]}],"refusal":null}""")]
    // The limit cuts a character in half: the half is a part of the answer as U+FFFD.
    [InlineData("aü", ",\"max_tokens\":2", """{"content":[{"token":"a","logprob":-0.25,"bytes":[97],"top_logprobs":[]},{"token":"�","logprob":-0.25,"bytes":[195],"top_logprobs":[]}],"refusal":null}""")]
    // What a stop string cuts off is no part of the answer.
    [InlineData("abcdef", ",\"stop\":\"cd\"", """{"content":[{"token":"a","logprob":-0.25,"bytes":[97],"top_logprobs":[]},{"token":"b","logprob":-0.25,"bytes":[98],"top_logprobs":[]}],"refusal":null}""")]
    // What was held back as the beginning of one and is none comes in the end.
    [InlineData("abc", ",\"stop\":\"cd\",\"max_tokens\":3", """{"content":[{"token":"a","logprob":-0.25,"bytes":[97],"top_logprobs":[]},{"token":"b","logprob":-0.25,"bytes":[98],"top_logprobs":[]},{"token":"c","logprob":-0.25,"bytes":[99],"top_logprobs":[]}],"refusal":null}""")]
    public async Task They_are_those_of_the_text_that_is_given(string answer, string parameters, string expected)
    {
        Assert.Equal(expected, await LogprobsAsync(answer, parameters));
        // The same, chunk by chunk.
        await using ApiHost host = await StartAsync(answer);
        List<string> events = await host.StreamAsync($"{{{Ask}{parameters},\"stream\":true}}");
        string[] parts = [.. events[..^1].Select(line => JsonElement.Parse(line).GetProperty("choices")[0].GetProperty("logprobs"))
            .Where(logprobs => logprobs.ValueKind != JsonValueKind.Null).Select(logprobs => logprobs.GetProperty("content").GetRawText()[1..^1])];
        Assert.Equal(expected, $$"""{"content":[{{string.Join(',', parts)}}],"refusal":null}""");
    }

    [Fact]
    public async Task A_chunk_carries_the_tokens_whose_text_it_gives()
    {
        await using ApiHost host = await StartAsync("xü");
        List<string> events = await host.StreamAsync($"{{{Ask},\"stream\":true}}");
        Assert.Equal(
            [
                """[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null,"logprobs":null}]""",
                """[{"index":0,"delta":{"content":"x"},"finish_reason":null,"logprobs":{"content":[{"token":"x","logprob":-0.25,"bytes":[120],"top_logprobs":[]}],"refusal":null}}]""",
                """[{"index":0,"delta":{"content":"ü"},"finish_reason":null,"logprobs":{"content":[{"token":"�","logprob":-0.25,"bytes":[195],"top_logprobs":[]},{"token":"�","logprob":-0.25,"bytes":[188],"top_logprobs":[]}],"refusal":null}}]""",
                """[{"index":0,"delta":{},"finish_reason":"stop","logprobs":null}]""",
            ],
            events[..^1].Select(line => JsonElement.Parse(line).GetProperty("choices").GetRawText()));
    }

    [Theory]
    [InlineData("none")]
    [InlineData("NaN")]
    [InlineData("positive")]
    [InlineData("token")]
    [InlineData("flood")]
    public async Task A_shard_that_sends_what_cannot_be_is_left(string what)
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Logprob = logprobs =>
        {
            switch (what)
            {
                case "NaN": logprobs.Drawn = float.NaN; break;
                case "positive": logprobs.Top[0].Logprob = 0.1f; break;
                case "token": logprobs.Top[0].Token = 258; break;
                case "flood": logprobs.Top.Add(logprobs.Top[0]); break;
                default: return null;
            }

            return logprobs;
        };
        await using ApiHost host = await ApiHost.StartAsync(network);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ask},\"top_logprobs\":1}}");
        Assert.Equal(503, status);
        Assert.Contains("log probabilities", reply.ToString(), StringComparison.Ordinal);
    }

    private static async Task<string> LogprobsAsync(string answer, string parameters)
    {
        await using ApiHost host = await StartAsync(answer);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ask}{parameters}}}");
        Assert.True(status == 200, reply.ToString());
        return reply.GetProperty("choices")[0].GetProperty("logprobs").GetRawText();
    }

    private static Task<ApiHost> StartAsync(string answer)
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        network.Answer = answer;
        return ApiHost.StartAsync(network);
    }
}
