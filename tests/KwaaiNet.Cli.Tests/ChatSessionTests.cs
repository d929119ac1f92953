using System.Text.Json;
using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Tests;

public sealed class ChatSessionTests
{
    [Fact]
    public async Task A_conversation_streams_and_remembers()
    {
        using TestTerminal terminal = new("Hello\nAnd now?\n/exit\nnever asked\n");
        using FakeApi api = new(FakeApi.Stream("Hi", " there"), FakeApi.Stream("Now this."));
        int exit = await new ChatSession(terminal.Context, "http://node/v1", null, api).RunAsync(TestContext.Current.CancellationToken);
        Assert.Equal(ExitCode.Success, exit);
        Assert.Contains("Hi there", terminal.Output, StringComparison.Ordinal);
        Assert.Contains("Now this.", terminal.Output, StringComparison.Ordinal);
        Assert.Equal(2, api.Requests.Count);
        JsonElement second = JsonDocument.Parse(api.Requests[1]).RootElement;
        Assert.True(second.GetProperty("stream").GetBoolean());
        Assert.Equal(["user: Hello", "assistant: Hi there", "user: And now?"], second.GetProperty("messages").EnumerateArray().Select(message => $"{message.GetProperty("role")}: {message.GetProperty("content")}"));
    }

    [Fact]
    public async Task New_starts_over_and_the_end_of_input_ends()
    {
        using TestTerminal terminal = new("One\n/new\nTwo\n");
        using FakeApi api = new(FakeApi.Stream("1"), FakeApi.Stream("2"));
        Assert.Equal(ExitCode.Success, await new ChatSession(terminal.Context, "http://node", "kwaai-demo", api).RunAsync(TestContext.Current.CancellationToken));
        Assert.Equal(1, JsonDocument.Parse(api.Requests[1]).RootElement.GetProperty("messages").GetArrayLength());
    }

    [Theory]
    [InlineData("""{"error":{"message":"No chain of shards covers blocks 3-5.","type":"server_error","param":null,"code":"no_chain"}}""")]
    [InlineData("data: {\"choices\":[{\"delta\":{\"content\":\"Some\"}}]}\n\ndata: {\"error\":{\"message\":\"No chain of shards covers blocks 3-5.\",\"type\":\"server_error\"}}\n\n")]
    public async Task An_error_before_or_in_the_middle_of_an_answer_is_shown_and_not_remembered(string failure)
    {
        using TestTerminal terminal = new("Hello\nAgain\n");
        using FakeApi api = new(failure, FakeApi.Stream("Fine."));
        Assert.Equal(ExitCode.Success, await new ChatSession(terminal.Context, "http://node", null, api).RunAsync(TestContext.Current.CancellationToken));
        Assert.Contains("error: No chain of shards covers blocks 3-5.", terminal.Error, StringComparison.Ordinal);
        Assert.Equal(1, JsonDocument.Parse(api.Requests[1]).RootElement.GetProperty("messages").GetArrayLength());
    }

    [Fact]
    public async Task A_script_whose_last_question_failed_is_told_by_the_exit_code()
    {
        using TestTerminal terminal = new("Hello\n");
        using FakeApi api = new("""{"error":{"message":"busy"}}""");
        Assert.Equal(ExitCode.Failure, await new ChatSession(terminal.Context, "http://node", null, api).RunAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_model_that_is_not_served_is_refused_with_those_that_are()
    {
        using TestTerminal terminal = new();
        using FakeApi api = new();
        CommandFailure failure = await Assert.ThrowsAsync<CommandFailure>(() =>
            new ChatSession(terminal.Context, "http://node", "llama3.1:8b", api).RunAsync(TestContext.Current.CancellationToken));
        Assert.Contains("llama3.1:8b", failure.Message, StringComparison.Ordinal);
        Assert.Contains("kwaai-demo", failure.Remedy, StringComparison.Ordinal);
    }
}
