using System.Collections.Concurrent;
using Grpc.Core;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Configuration;
using KwaaiNet.ShardNode.Rpc;
using KwaaiNet.ShardNode.Serving;
using KwaaiNet.ShardNode.Tests.Fakes;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Tests.Rpc;

public sealed class ShardServiceTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_stream_that_ends_by_a_fault_of_this_node_says_so_in_the_log(bool control)
    {
        (LogLevel level, Exception? fault, string text) = await LoggedAsync(control, new InvalidOperationException("a fault of our own"));
        Assert.Equal((LogLevel.Error, "a fault of our own"), (level, fault?.Message));
        Assert.Contains(control ? "Control" : "Steps", text, StringComparison.Ordinal);
        Assert.Contains("did:key:", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_peer_that_goes_away_is_no_fault(bool control)
    {
        (LogLevel level, _, string text) = await LoggedAsync(control, new IOException("the peer went away"));
        Assert.Equal(LogLevel.Debug, level);
        Assert.Contains("the peer went away", text, StringComparison.Ordinal);
    }

    private static async Task<(LogLevel Level, Exception? Fault, string Text)> LoggedAsync(bool control, Exception fault)
    {
        using ShardServing serving = new();
        using NodeIdentity identity = NodeIdentity.Create();
        Entries log = new();
        ShardService service = new(serving, null!, Options.Create(new ShardOptions()), log);
        CallOfNode call = new(identity, TestContext.Current.CancellationToken);
        Task ended = control
            ? service.Control(new Broken<ControlRequest>(fault), new EventLog<ControlEvent>(), call)
            : service.Steps(new Broken<StepFrame>(fault), new EventLog<StepRefused>(), call);
        await ended.WaitAsync(TestTimeout.Value, TestContext.Current.CancellationToken);
        return Assert.Single(log.All);
    }

    private sealed class Broken<T>(Exception fault) : IAsyncStreamReader<T>
    {
        public T Current => throw new NotSupportedException();

        public Task<bool> MoveNext(CancellationToken cancellationToken) => Task.FromException<bool>(fault);
    }

    private sealed class Entries : ILogger<ShardService>
    {
        public ConcurrentQueue<(LogLevel Level, Exception? Fault, string Text)> All { get; } = new();

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            All.Enqueue((logLevel, exception, formatter(state, exception)));
    }
}
