using System.IO.Pipes;
using KwaaiNet.Cli.Control;
using KwaaiNet.Cli.Output;

namespace KwaaiNet.Cli.Tests;

public sealed class ControlPipeTests
{
    private static readonly TimeSpan s_patience = TimeSpan.FromSeconds(30);
    private readonly string _pipe = "kwaainet-test-" + Guid.NewGuid().ToString("N")[..12];

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_request_is_carried_out_before_it_is_answered_and_a_refusal_comes_back_with_its_remedy()
    {
        List<string> done = [];
        await using Serving serving = new(_pipe, (request, _) =>
        {
            done.Add(request);
            return request == "restart nobody" ? throw new CommandFailure("There is no such node.", "another name.") : Task.CompletedTask;
        });

        Assert.True(await SendAsync("restart shard-1"));
        CommandFailure failure = await Assert.ThrowsAsync<CommandFailure>(() => SendAsync("restart nobody"));
        Assert.Equal(("There is no such node.", "another name."), (failure.Message, failure.Remedy));
        Assert.Equal(["restart shard-1", "restart nobody"], done);
    }

    [Fact]
    public async Task A_request_that_waits_keeps_no_other_waiting()
    {
        TaskCompletionSource begun = new();
        await using Serving serving = new(_pipe, (request, token) =>
        {
            if (request == "restart quick")
            {
                return Task.CompletedTask;
            }

            begun.SetResult();
            return Task.Delay(Timeout.InfiniteTimeSpan, token);
        });

        Task<bool> slow = SendAsync("restart slow");
        await begun.Task.WaitAsync(s_patience, Cancelled);
        Assert.True(await SendAsync("restart quick"));
        Assert.False(slow.IsCompleted);

        // The end of the network ends the request, and its caller hears why.
        await serving.StopAsync();
        Assert.Contains("stopping", (await Assert.ThrowsAsync<CommandFailure>(() => slow)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_caller_that_left_takes_its_request_with_it()
    {
        TaskCompletionSource begun = new();
        TaskCompletionSource ended = new();
        await using Serving serving = new(_pipe, async (_, token) =>
        {
            using CancellationTokenRegistration registration = token.Register(ended.SetResult);
            begun.SetResult();
            await Task.Delay(Timeout.InfiniteTimeSpan, token);
        });

        using CancellationTokenSource leave = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        Task<bool> asking = ControlClient.TrySendAsync(_pipe, "restart shard-1", s_patience, leave.Token);
        await begun.Task.WaitAsync(s_patience, Cancelled);
        await leave.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
        await ended.Task.WaitAsync(s_patience, Cancelled);
    }

    [Fact]
    public async Task Callers_that_say_nothing_or_too_much_are_in_nobodys_way()
    {
        await using Serving serving = new(_pipe, (_, _) => Task.CompletedTask);
        await using NamedPipeClientStream silent = await ConnectAsync();
        await using NamedPipeClientStream talker = await ConnectAsync();
        await talker.WriteAsync(new byte[64 * 1024].AsMemory(0, 2048), Cancelled);
        Assert.True(await SendAsync("stop"));
        // Too long a request is no request: its caller is let go without an answer.
        Assert.True(await EndsAsync(talker).WaitAsync(s_patience, Cancelled));
    }

    // What the other side has not read makes an error of the end on Unix.
    private static async Task<bool> EndsAsync(PipeStream pipe)
    {
        try
        {
            return await pipe.ReadAsync(new byte[1], Cancelled) == 0;
        }
        catch (IOException)
        {
            return true;
        }
    }

    [Fact]
    public async Task A_request_to_stop_is_answered_though_everything_ends_with_it()
    {
        Serving? serving = null;
        serving = new Serving(_pipe, (_, _) => serving!.CancelAsync());
        await using (serving)
        {
            Assert.True(await SendAsync("stop"));
        }
    }

    [Fact]
    public async Task A_supervisor_that_gives_no_answer_is_not_waited_for()
    {
        await using Serving serving = new(_pipe, (_, token) => Task.Delay(Timeout.InfiniteTimeSpan, token));
        Assert.False(await ControlClient.TrySendAsync(_pipe, "stop", TimeSpan.FromMilliseconds(200), Cancelled));
    }

    [Fact]
    public async Task Nobody_at_the_pipe_is_said_and_not_waited_for_for_ever() =>
        Assert.False(await SendAsync("stop"));

    [Fact]
    public async Task A_pipe_that_cannot_be_opened_is_told()
    {
        TaskCompletionSource<string> told = new();
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        // No system has room for such a name.
        ControlServer server = new(new string('x', 4000), (_, _) => Task.CompletedTask, text => told.TrySetResult(text), TimeProvider.System);
        Task running = server.RunAsync(stop.Token);
        Assert.Contains("Other commands cannot reach this network", await told.Task.WaitAsync(s_patience, Cancelled), StringComparison.Ordinal);
        await stop.CancelAsync();
        await running.WaitAsync(s_patience, Cancelled);
    }

    private Task<bool> SendAsync(string request) => ControlClient.TrySendAsync(_pipe, request, s_patience, Cancelled);

    private async Task<NamedPipeClientStream> ConnectAsync()
    {
        NamedPipeClientStream client = new(".", _pipe, PipeDirection.InOut, PipeOptions.Asynchronous | PipeOptions.CurrentUserOnly);
        await client.ConnectAsync(s_patience, Cancelled);
        return client;
    }

    private sealed class Serving : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(Cancelled);
        private readonly Task _running;

        public Serving(string pipe, Func<string, CancellationToken, Task> handle) =>
            _running = new ControlServer(pipe, handle, text => Assert.Fail(text), TimeProvider.System).RunAsync(_stop.Token);

        public Task CancelAsync() => _stop.CancelAsync();

        public async Task StopAsync()
        {
            await _stop.CancelAsync();
            await _running.WaitAsync(s_patience, CancellationToken.None);
        }

        public async ValueTask DisposeAsync()
        {
            await StopAsync();
            _stop.Dispose();
        }
    }
}
