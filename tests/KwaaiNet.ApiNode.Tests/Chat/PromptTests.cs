using System.Text.Json;
using System.Text.RegularExpressions;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Tests.Fakes;
using KwaaiNet.CandelEngine.Files;
using Microsoft.Extensions.AI;

namespace KwaaiNet.ApiNode.Tests.Chat;

/// <summary>What a prompt can do to a model's template and tokenizer, and what its sender is told.</summary>
public sealed class PromptTests
{
    private const string Ask = """{"model":"demo","messages":[{"role":"user","content":"Hi"}],"temperature":0}""";

    [Theory]
    [InlineData("")]
    [InlineData(" \n\t ")]
    // An em space: three bytes, none of them ASCII.
    [InlineData("\u2003")]
    public async Task A_template_that_makes_nothing_of_a_conversation_is_a_template_error(string rendered)
    {
        ChatModel model = FakeCatalog.Model() with { ChatTemplate = new FakeTemplate { Always = rendered } };
        await using ApiHost host = await ApiHost.StartAsync(model: model);
        await AssertErrorAsync(host, Ask, 400, "messages", "template_error");
    }

    [Fact]
    public async Task A_template_that_writes_BOS_alone_is_a_template_error()
    {
        ChatModel model = FakeCatalog.Model() with { ChatTemplate = new FakeTemplate { Always = "", WritesBos = true } };
        await using ApiHost host = await ApiHost.StartAsync(model: model);
        await AssertErrorAsync(host, Ask, 400, "messages", "template_error");
    }

    public static TheoryData<Exception> Defeats => [
        new ModelFormatException("/srv/models/secret.json: the tokenizer's expression takes more than 5 seconds for a text of 9 characters."),
        new RegexMatchTimeoutException(), new ArgumentOutOfRangeException(), new InvalidOperationException(), new InsufficientExecutionStackException(), new OverflowException(),
    ];

    [Theory]
    [MemberData(nameof(Defeats), DisableDiscoveryEnumeration = true)]
    public async Task A_text_that_the_tokenizer_gives_up_on_is_the_requests_fault_and_no_500(Exception defeat)
    {
        ChatModel model = FakeCatalog.Model() with { Tokenizer = new FakeTokenizer { Defeat = text => text.Contains("Hi", StringComparison.Ordinal) ? defeat : null } };
        await using ApiHost host = await ApiHost.StartAsync(model: model);
        string message = await AssertErrorAsync(host, Ask, 400, "messages", "tokenizer_error");
        Assert.DoesNotContain("/srv", message, StringComparison.Ordinal);
        Assert.Equal(200, (await host.AskAsync(Ask.Replace("Hi", "Ho", StringComparison.Ordinal))).Status);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"tool_call_id\":null")]
    [InlineData(",\"tool_call_id\":\"\"")]
    public async Task A_tools_answer_names_the_call_that_it_answers(string id)
    {
        await using ApiHost host = await ApiHost.StartAsync();
        await AssertErrorAsync(host, $$"""{"model":"demo","messages":[{"role":"user","content":"Hi"},{"role":"tool","content":"4"{{id}}}]}""", 400, "messages[1].tool_call_id", "missing_required_parameter");
    }

    [Theory]
    [InlineData("tool", "{\"role\":\"user\",\"content\":\"Hi\"},{\"role\":\"tool\",\"tool_call_id\":\"1\",\"content\":\"4\"}", "messages[1]")]
    [InlineData("system", "{\"role\":\"developer\",\"content\":\"Be brief.\"},{\"role\":\"user\",\"content\":\"Hi\"}", "messages[0]")]
    public async Task A_message_that_the_template_would_drop_is_an_error(string drops, string messages, string param)
    {
        string body = $$"""{"model":"demo","messages":[{{messages}}]}""";
        await using (ApiHost host = await ApiHost.StartAsync(model: FakeCatalog.Model() with { ChatTemplate = new FakeTemplate { Drops = drops } }))
        {
            await AssertErrorAsync(host, body, 400, param, "template_error");
        }

        await using ApiHost keeping = await ApiHost.StartAsync();
        Assert.Equal(200, (await keeping.AskAsync(body)).Status);
    }

    [Fact]
    public async Task Instructions_that_the_template_would_drop_are_an_error_of_their_own()
    {
        await using ApiHost host = await ApiHost.StartAsync(model: FakeCatalog.Model() with { ChatTemplate = new FakeTemplate { Drops = "system" } });
        InvalidChatRequestException exception = await Assert.ThrowsAsync<InvalidChatRequestException>(
            () => host.Chat.GetResponseAsync("Hi", new ChatOptions { Instructions = "Be brief." }, TestContext.Current.CancellationToken));
        Assert.Equal("instructions", exception.Param);
    }

    private static async Task<string> AssertErrorAsync(ApiHost host, string body, int status, string param, string code)
    {
        (int found, JsonElement reply) = await host.AskAsync(body);
        Assert.True(found == status, reply.ToString());
        JsonElement error = reply.GetProperty("error");
        Assert.Equal((param, code), (error.GetProperty("param").GetString(), error.GetProperty("code").GetString()));
        return error.GetProperty("message").GetString()!;
    }
}
