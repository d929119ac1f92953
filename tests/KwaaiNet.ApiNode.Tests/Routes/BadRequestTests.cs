using System.Text;
using System.Text.Json;
using KwaaiNet.ApiNode.Tests.Fakes;

namespace KwaaiNet.ApiNode.Tests.Routes;

public sealed class BadRequestTests
{
    private const string Ok = "\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"Hi\"}]";

    [Theory]
    [InlineData("", 400, null, null)]
    [InlineData("{", 400, null, null)]
    [InlineData("[]", 400, null, null)]
    [InlineData("\"x\"", 400, null, null)]
    [InlineData("{\"model\":\"demo\",}", 400, null, null)]
    [InlineData("{\"\\ud800\":1}", 400, null, null)]
    [InlineData("{}", 400, "model", "missing_required_parameter")]
    [InlineData("{\"model\":1}", 400, "model", "invalid_type")]
    [InlineData("{\"model\":\"demo\"}", 400, "messages", "missing_required_parameter")]
    [InlineData("{\"model\":\"demo\",\"messages\":{}}", 400, "messages", "invalid_type")]
    [InlineData("{\"model\":\"demo\",\"messages\":[]}", 400, "messages", "empty_array")]
    [InlineData("{\"model\":\"demo\",\"messages\":[1]}", 400, "messages[0]", "invalid_type")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{}]}", 400, "messages[0].role", "missing_required_parameter")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"},{\"role\":\"robot\",\"content\":\"a\"}]}", 400, "messages[1].role", "invalid_value")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\"}]}", 400, "messages[0].content", "missing_required_parameter")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":null}]}", 400, "messages[0].content", "missing_required_parameter")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":5}]}", 400, "messages[0].content", "invalid_type")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"\\ud800\"}]}", 400, "messages[0].content", "invalid_value")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":[]}]}", 400, "messages[0].content", "empty_array")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"image_url\"}]}]}", 400, "messages[0].content[0].type", "unsupported_parameter")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}]}]}", 400, "messages[0].content[0].text", "missing_required_parameter")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{}]}]}", 400, "messages[0].tool_calls", "unsupported_parameter")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"refuse me\"}]}", 400, "messages", "template_error")]
    [InlineData("{\"model\":\"gone\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", 404, "model", "model_not_found")]
    [InlineData("{\"model\":\"opening\",\"messages\":[{\"role\":\"user\",\"content\":\"a\"}]}", 503, null, "model_not_available")]
    [InlineData("{#,\"temperature\":2.1}", 400, "temperature", "invalid_value")]
    [InlineData("{#,\"temperature\":-0.1}", 400, "temperature", "invalid_value")]
    [InlineData("{#,\"temperature\":1e999}", 400, "temperature", "invalid_value")]
    [InlineData("{#,\"temperature\":\"hot\"}", 400, "temperature", "invalid_type")]
    [InlineData("{#,\"top_p\":0}", 400, "top_p", "invalid_value")]
    [InlineData("{#,\"top_p\":1.5}", 400, "top_p", "invalid_value")]
    [InlineData("{#,\"top_k\":-1}", 400, "top_k", "integer_below_min_value")]
    [InlineData("{#,\"top_k\":1.5}", 400, "top_k", "invalid_type")]
    [InlineData("{#,\"seed\":1.5}", 400, "seed", "invalid_type")]
    [InlineData("{#,\"seed\":99999999999999999999}", 400, "seed", "invalid_type")]
    [InlineData("{#,\"max_tokens\":0}", 400, "max_tokens", "integer_below_min_value")]
    [InlineData("{#,\"max_tokens\":-5}", 400, "max_tokens", "integer_below_min_value")]
    [InlineData("{#,\"max_tokens\":1.5}", 400, "max_tokens", "invalid_type")]
    [InlineData("{#,\"max_tokens\":\"9\"}", 400, "max_tokens", "invalid_type")]
    [InlineData("{#,\"max_tokens\":9999999999}", 400, "max_tokens", "integer_above_max_value")]
    [InlineData("{#,\"max_completion_tokens\":0}", 400, "max_completion_tokens", "integer_below_min_value")]
    [InlineData("{#,\"max_tokens\":1000}", 400, "max_tokens", "context_length_exceeded")]
    [InlineData("{#,\"stop\":5}", 400, "stop", "invalid_type")]
    [InlineData("{#,\"stop\":\"\"}", 400, "stop", "invalid_value")]
    [InlineData("{#,\"stop\":[1]}", 400, "stop[0]", "invalid_type")]
    [InlineData("{#,\"stop\":[\"1\",\"2\",\"3\",\"4\",\"5\"]}", 400, "stop", "array_above_max_length")]
    [InlineData("{#,\"stream\":\"yes\"}", 400, "stream", "invalid_type")]
    [InlineData("{#,\"stream\":true,\"stream_options\":true}", 400, "stream_options", "invalid_type")]
    [InlineData("{#,\"stream\":true,\"stream_options\":{\"include_usage\":1}}", 400, "stream_options.include_usage", "invalid_type")]
    [InlineData("{#,\"stream_options\":{\"include_usage\":true}}", 400, "stream_options", "invalid_value")]
    [InlineData("{#,\"n\":2}", 400, "n", "unsupported_parameter")]
    [InlineData("{#,\"n\":\"1\"}", 400, "n", "unsupported_parameter")]
    [InlineData("{#,\"presence_penalty\":2.1}", 400, "presence_penalty", "invalid_value")]
    [InlineData("{#,\"presence_penalty\":\"a\"}", 400, "presence_penalty", "invalid_type")]
    [InlineData("{#,\"frequency_penalty\":-2.1}", 400, "frequency_penalty", "invalid_value")]
    [InlineData("{#,\"logit_bias\":[1]}", 400, "logit_bias", "invalid_type")]
    [InlineData("{#,\"logit_bias\":{\"a\":1}}", 400, "logit_bias", "invalid_value")]
    [InlineData("{#,\"logit_bias\":{\"-1\":1}}", 400, "logit_bias", "invalid_value")]
    [InlineData("{#,\"logit_bias\":{\"258\":1}}", 400, "logit_bias", "invalid_value")]
    [InlineData("{#,\"logit_bias\":{\"5\":101}}", 400, "logit_bias.5", "invalid_value")]
    [InlineData("{#,\"logit_bias\":{\"5\":\"x\"}}", 400, "logit_bias.5", "invalid_type")]
    [InlineData("{#,\"logit_bias\":{\"5\":null}}", 400, "logit_bias.5", "invalid_type")]
    [InlineData("{#,\"logit_bias\":{\"5\":1,\"5\":null}}", 400, "logit_bias.5", "invalid_type")]
    [InlineData("{#,\"stop\":[null]}", 400, "stop[0]", "invalid_type")]
    [InlineData("{\"model\":\"demo\",\"messages\":[null]}", 400, "messages[0]", "invalid_type")]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":[null]}]}", 400, "messages[0].content[0]", "invalid_type")]
    [InlineData("{#,\"max_tokens\":4.5}", 400, "max_tokens", "invalid_type")]
    [InlineData("{#,\"max_tokens\":1e-1}", 400, "max_tokens", "invalid_type")]
    [InlineData("{#,\"max_tokens\":1e999999999999999999999999}", 400, "max_tokens", "invalid_type")]
    [InlineData("{#,\"seed\":1.00000000000000000000000000000001}", 400, "seed", "invalid_type")]
    [InlineData("{#,\"seed\":9223372036854775808.0}", 400, "seed", "invalid_type")]
    [InlineData("{#,\"logprobs\":1}", 400, "logprobs", "invalid_type")]
    [InlineData("{#,\"top_logprobs\":5}", 400, "top_logprobs", "invalid_value")]
    [InlineData("{#,\"logprobs\":false,\"top_logprobs\":5}", 400, "top_logprobs", "invalid_value")]
    [InlineData("{#,\"logprobs\":true,\"top_logprobs\":21}", 400, "top_logprobs", "integer_above_max_value")]
    [InlineData("{#,\"logprobs\":true,\"top_logprobs\":-1}", 400, "top_logprobs", "integer_below_min_value")]
    [InlineData("{#,\"min_p\":1.1}", 400, "min_p", "invalid_value")]
    [InlineData("{#,\"min_p\":[]}", 400, "min_p", "invalid_type")]
    [InlineData("{#,\"typical_p\":0}", 400, "typical_p", "invalid_value")]
    [InlineData("{#,\"repetition_penalty\":0}", 400, "repetition_penalty", "invalid_value")]
    [InlineData("{#,\"repetition_penalty\":1e-60}", 400, "repetition_penalty", "invalid_value")]
    [InlineData("{#,\"repeat_penalty\":11}", 400, "repeat_penalty", "invalid_value")]
    [InlineData("{#,\"repeat_penalty\":1.1,\"repetition_penalty\":1.2}", 400, "repeat_penalty", "invalid_value")]
    [InlineData("{#,\"repeat_last_n\":-2}", 400, "repeat_last_n", "integer_below_min_value")]
    [InlineData("{#,\"repeat_last_n\":1.5}", 400, "repeat_last_n", "invalid_type")]
    [InlineData("{#,\"mirostat\":2}", 400, "mirostat", "unsupported_parameter")]
    [InlineData("{#,\"ignore_eos\":true}", 400, "ignore_eos", "unsupported_parameter")]
    [InlineData("{#,\"tools\":[{\"type\":\"function\"}]}", 400, "tools", "unsupported_parameter")]
    [InlineData("{#,\"tool_choice\":\"required\"}", 400, "tool_choice", "unsupported_parameter")]
    [InlineData("{#,\"response_format\":{\"type\":\"json_object\"}}", 400, "response_format", "unsupported_parameter")]
    [InlineData("{#,\"enable_thinking\":false}", 400, "enable_thinking", "unsupported_parameter")]
    [InlineData("{#,\"guided_json\":{}}", 400, "guided_json", "unsupported_parameter")]
    [InlineData("{#,\"chat_template_kwargs\":[]}", 400, "chat_template_kwargs", "invalid_type")]
    [InlineData("{#,\"chat_template_kwargs\":{\"a\":[{\"b\":\"\\ud800\"}]}}", 400, "chat_template_kwargs", "invalid_value")]
    [InlineData("{#,\"chat_template_kwargs\":{\"a\":{\"\\ud800\":1}}}", 400, null, null)]
    [InlineData("{#,\"chat_template_kwargs\":{\"messages\":[]}}", 400, "chat_template_kwargs", "unsupported_parameter")]
    [InlineData("{#,\"chat_template_kwargs\":{\"tools\":[{}]}}", 400, "chat_template_kwargs", "unsupported_parameter")]
    [InlineData("{#,\"kwaainet_trust_tier\":1}", 400, "kwaainet_trust_tier", "invalid_type")]
    [InlineData("{#,\"kwaainet_trust_tier\":\"7\"}", 400, "kwaainet_trust_tier", "invalid_value")]
    [InlineData("{#,\"kwaainet_trust_tier\":\"Verified\"}", 422, "kwaainet_trust_tier", "trust_tier_unavailable")]
    public async Task A_bad_body_names_its_field(string body, int status, string? param, string? code)
    {
        await using ApiHost host = await ApiHost.StartAsync();

        (int found, JsonElement reply) = await host.AskAsync(body.Replace("#", Ok, StringComparison.Ordinal));

        JsonElement error = reply.GetProperty("error");
        Assert.Equal((status, param, code), (found, error.GetProperty("param").GetString(), error.GetProperty("code").GetString()));
        Assert.Equal(status < 500 ? "invalid_request_error" : "server_error", error.GetProperty("type").GetString());
        Assert.NotEmpty(error.GetProperty("message").GetString()!);
    }

    [Theory]
    [InlineData("4", 4)]
    [InlineData("4.0", 4)]
    [InlineData("0.4e1", 4)]
    [InlineData("40e-1", 4)]
    [InlineData("1E+2", 100)]
    [InlineData("1.2e2", 120)]
    [InlineData("100.000", 100)]
    public async Task A_whole_number_may_be_written_with_a_point_or_an_exponent(string number, uint limit)
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        await using ApiHost host = await ApiHost.StartAsync(network);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ok},\"max_tokens\":{number}}}");
        Assert.True(status == 200, reply.ToString());
        Assert.Equal(limit, Assert.Single(network.Shards["a"].Openings).MaxNewTokens);
    }

    [Theory]
    [InlineData("1.0", 1)]
    [InlineData("-0.0", 0)]
    [InlineData("9007199254740993.0", 9007199254740993)]
    [InlineData("9223372036854775807.00", long.MaxValue)]
    [InlineData("-9223372036854775808e0", long.MinValue)]
    public async Task A_seed_is_read_to_its_last_bit(string number, long seed)
    {
        FakeNetwork network = FakeNetwork.Of("0-5");
        await using ApiHost host = await ApiHost.StartAsync(network);
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ok},\"seed\":{number},\"temperature\":0}}");
        Assert.True(status == 200, reply.ToString());
        Assert.Equal(unchecked((ulong)seed), Assert.Single(network.Shards["a"].Openings).Sampling.Seed);
    }

    [Theory]
    [InlineData("max_tokens", "0")]
    [InlineData("max_tokens", "-1")]
    [InlineData("max_completion_tokens", "-1")]
    public async Task A_limit_below_one_is_told_how_to_ask_for_none(string name, string limit)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        (int status, JsonElement reply) = await host.AskAsync($"{{{Ok},\"{name}\":{limit}}}");
        Assert.Equal(400, status);
        Assert.EndsWith("Leave it out for no limit.", reply.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    // A lone byte of Latin-1, an over-long slash, half a surrogate pair in UTF-8, a character that is cut off.
    [InlineData("{#,\"logit_bias\":{\"7@\":1}}", new byte[] { 0xE9 })]
    [InlineData("{#,\"@\":1}", new byte[] { 0xC0, 0xAF })]
    [InlineData("{#,\"user\":\"@\"}", new byte[] { 0xED, 0xA0, 0x80 })]
    [InlineData("{\"model\":\"demo\",\"messages\":[{\"role\":\"user\",\"content\":\"@\"}]}", new byte[] { 0xE2, 0x82 })]
    public async Task Bytes_that_are_not_UTF8_are_400_wherever_they_stand(string body, byte[] wrong)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        string[] parts = body.Replace("#", Ok, StringComparison.Ordinal).Split('@');
        byte[] before = Encoding.UTF8.GetBytes(parts[0]);

        using ByteArrayContent content = new([.. before, .. wrong, .. Encoding.UTF8.GetBytes(parts[1])]);
        content.Headers.ContentType = new System.Net.Http.Headers.MediaTypeHeaderValue("application/json");
        using HttpResponseMessage response = await host.Client.PostAsync(new Uri("/v1/chat/completions", UriKind.Relative), content, TestContext.Current.CancellationToken);

        Assert.Equal(400, (int)response.StatusCode);
        string reply = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.Contains($"byte {before.Length + 1} begins no character", reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_nested_too_deeply_is_told_so_and_not_that_it_is_no_json()
    {
        await using ApiHost host = await ApiHost.StartAsync();
        string nested = string.Concat(Enumerable.Repeat("[", 70)) + string.Concat(Enumerable.Repeat("]", 70));

        (int found, JsonElement reply) = await host.AskAsync($"{{{Ok},\"metadata\":{nested}}}");

        Assert.Equal(400, found);
        Assert.Contains("nested deeper than 64 levels", reply.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("text/plain")]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("")]
    public async Task Another_content_type_is_415(string contentType)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        using HttpResponseMessage response = await host.PostAsync($"{{{Ok}}}", contentType);
        Assert.Equal((415, "unsupported_media_type"), ((int)response.StatusCode, await CodeAsync(response)));
    }

    [Theory]
    [InlineData("application/json; charset=utf-8")]
    [InlineData("Application/JSON")]
    public async Task Json_is_recognised_however_it_is_written(string contentType)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        using HttpResponseMessage response = await host.PostAsync($"\uFEFF{{{Ok},\"temperature\":0}}", contentType);
        Assert.Equal(200, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_body_beyond_the_limit_is_413()
    {
        await using ApiHost host = await ApiHost.StartAsync(options: api => api.MaxRequestBytes = 2048);
        using HttpResponseMessage response = await host.PostAsync($"{{{Ok},\"user\":\"{new string('x', 4096)}\"}}");
        Assert.Equal((413, "request_too_large"), ((int)response.StatusCode, await CodeAsync(response)));
    }

    [Fact]
    public async Task A_body_of_unknown_length_beyond_the_limit_is_413()
    {
        await using ApiHost host = await ApiHost.StartAsync(options: api => api.MaxRequestBytes = 2048);
        using HttpRequestMessage request = new(HttpMethod.Post, "/v1/chat/completions")
        {
            Content = new StringContent($"{{{Ok},\"user\":\"{new string('x', 4096)}\"}}", new System.Net.Http.Headers.MediaTypeHeaderValue("application/json")),
        };
        request.Headers.TransferEncodingChunked = true;
        using HttpResponseMessage response = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(413, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_prompt_beyond_the_context_says_both_numbers()
    {
        await using ApiHost host = await ApiHost.StartAsync();

        (int status, JsonElement reply) = await host.AskAsync(
            $$"""{"model":"demo","messages":[{"role":"user","content":"{{new string('x', 300)}}"}]}""");

        Assert.Equal(400, status);
        Assert.Equal(
            "This model's maximum context length is 256 tokens. However, your messages resulted in 307 tokens, which leaves no room for an answer. Please reduce the length of the messages.",
            reply.GetProperty("error").GetProperty("message").GetString());
    }

    [Theory]
    [InlineData("GET", "/v1/nothing", 404, "unknown_url")]
    [InlineData("POST", "/", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/chat/completions", 405, "method_not_allowed")]
    [InlineData("DELETE", "/v1/models", 405, "method_not_allowed")]
    [InlineData("GET", "/v1/models/llama3.1:8b", 404, "model_not_found")]
    public async Task Unknown_routes_and_methods_are_error_objects(string method, string path, int status, string code)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        using HttpRequestMessage request = new(new HttpMethod(method), path);
        using HttpResponseMessage response = await host.Client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal((status, code), ((int)response.StatusCode, await CodeAsync(response)));
    }

    private static async Task<string?> CodeAsync(HttpResponseMessage response) =>
        JsonElement.Parse(await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).GetProperty("error").GetProperty("code").GetString();
}
