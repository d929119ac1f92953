using KwaaiNet.Cli.Control;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Tests;

public sealed class ControlPipeTests
{
    private readonly string _pipe = "kwaainet-test-" + Guid.NewGuid().ToString("N")[..12];

    [Fact]
    public async Task A_request_is_carried_out_before_it_is_answered_and_a_refusal_comes_back_with_its_remedy()
    {
        List<string> done = [];
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        ControlServer server = new(_pipe, (request, _) =>
        {
            done.Add(request);
            return request == "restart nobody" ? throw new CommandFailure("There is no such node.", "another name.") : Task.CompletedTask;
        });
        Task serving = server.RunAsync(stop.Token);

        Assert.True(await ControlClient.TrySendAsync(_pipe, "restart shard-1", TestContext.Current.CancellationToken));
        CommandFailure failure = await Assert.ThrowsAsync<CommandFailure>(() => ControlClient.TrySendAsync(_pipe, "restart nobody", TestContext.Current.CancellationToken));
        Assert.Equal(("There is no such node.", "another name."), (failure.Message, failure.Remedy));
        Assert.Equal(["restart shard-1", "restart nobody"], done);

        await stop.CancelAsync();
        await serving.WaitAsync(TimeSpan.FromSeconds(10), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Nobody_at_the_pipe_is_said_and_not_waited_for_for_ever() =>
        Assert.False(await ControlClient.TrySendAsync(_pipe, "stop", TestContext.Current.CancellationToken));
}
