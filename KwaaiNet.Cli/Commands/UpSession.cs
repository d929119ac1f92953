using KwaaiNet.Cli.Control;
using KwaaiNet.Cli.Network;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Commands;

/// <summary>One run of <c>kwaainet up</c>, from the checks to the last node's end.</summary>
/// <param name="context">What commands work with.</param>
/// <param name="options">What was asked for.</param>
/// <param name="detached">Whether this is the copy that <c>--detach</c> leaves running: nobody reads its output once the network is up.</param>
internal sealed class UpSession(CommandContext context, NetworkOptions options, bool detached) : IDisposable
{
    /// <summary>Written on a line of its own by a detached run when the network is up: "end of transmission".</summary>
    public const string EndOfStart = "\u0004";

    private static readonly TimeSpan s_leftoverGrace = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource _stop = CancellationTokenSource.CreateLinkedTokenSource(context.Interrupts.Stop);

    public async Task<int> RunAsync(CancellationToken cancellationToken)
    {
        using NetworkLock? ownership = NetworkLock.TryTake(context.Home);
        NetworkPlan plan = await Preflight.CheckAsync(context.Home, options, cancellationToken).ConfigureAwait(false);
        if (ownership is null)
        {
            throw new CommandFailure("Another 'kwaainet up' is starting in this home.", $"wait for it, or name another folder in {KwaaiNetHome.Variable}.");
        }

        if (detached)
        {
            StopSignal.LeaveTerminal();
        }

        await StopLeftoversAsync().ConfigureAwait(false);

        // Nobody may be left to read: the nodes are not ended for that.
        context.Terminal.OutlivesReaders = true;
        using NodeLog journal = new(context.Home.LogFile(KwaaiNetHome.SupervisorName), context.Clock);
        UpReport report = new(context.Terminal, journal);
        await using NetworkSupervisor network = new(context.Home, plan, report, context.Clock);
        // From the first moment: also a network that does not come up is to be stopped by 'down'.
        ControlServer control = new(ControlPipe.NameFor(context.Home), (request, token) => HandleAsync(network, request, token), report.Trouble, context.Clock);
        Task serving = control.RunAsync(_stop.Token);
        try
        {
            await context.Terminal.StatusAsync("starting", async show =>
            {
                report.Show = show;
                await network.StartAsync(_stop.Token).ConfigureAwait(false);
                report.Show = null;
            }).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is OperationCanceledException or CommandFailure && _stop.IsCancellationRequested)
        {
            report.Show = null;
            // The terminal's Ctrl-C goes to the nodes too: one that ended of it before we looked has not failed.
            context.Terminal.Line("Stopping: interrupted before the network was up.");
            await network.StopAsync(context.Interrupts.StopNow).ConfigureAwait(false);
            await serving.ConfigureAwait(false);
            return ExitCode.Interrupted;
        }
        catch (CommandFailure failure)
        {
            report.Show = null;
            journal.Write($"fail: {failure.Message}");
            await _stop.CancelAsync().ConfigureAwait(false);
            await network.StopAsync(context.Interrupts.StopNow).ConfigureAwait(false);
            await serving.ConfigureAwait(false);
            throw;
        }

        Welcome(network.Url, plan);
        Task stopped = Task.Delay(Timeout.InfiniteTimeSpan, context.Clock, _stop.Token);
        await Task.WhenAny(stopped, network.AllEnded).ConfigureAwait(false);
        bool wanted = _stop.IsCancellationRequested;
        await _stop.CancelAsync().ConfigureAwait(false);
        context.Terminal.Line(wanted ? "Stopping …" : "No node is left.");
        await network.StopAsync(context.Interrupts.StopNow).ConfigureAwait(false);
        await serving.ConfigureAwait(false);
        context.Terminal.Line("The network is down.");
        if (network.GivenUp is { Count: > 0 } left)
        {
            context.Terminal.Warning($"Nodes that died too often were left: {string.Join(", ", left)}.");
            return wanted ? ExitCode.Degraded : ExitCode.Failure;
        }

        return wanted ? ExitCode.Success : ExitCode.Failure;
    }

    public void Dispose() => _stop.Dispose();

    private async Task HandleAsync(NetworkSupervisor network, string request, CancellationToken cancellationToken)
    {
        string[] words = request.Split(' ', 2);
        switch (words[0])
        {
            case ControlPipe.Stop:
                await _stop.CancelAsync().ConfigureAwait(false);
                break;
            case ControlPipe.Restart when network.Url.Length == 0:
                throw new CommandFailure("The network is still starting.", $"wait for it: '{CommandName.For("logs --follow")}' shows what it does.");
            case ControlPipe.Restart when words.Length == 2:
                await network.RestartAsync(words[1], cancellationToken).ConfigureAwait(false);
                break;
            default:
                throw new CommandFailure($"The running network does not know the request '{words[0]}'.", "stop it and start it again with this version of kwaainet.");
        }
    }

    /// <summary>A supervisor that was killed takes its nodes with it, but for those that were frozen: they would wake as strangers in the new network.</summary>
    private async Task StopLeftoversAsync()
    {
        if (NetworkStateFile.Read(context.Home) is { } before
            && await RunningProcesses.StopAsync(before.Nodes, s_leftoverGrace, context.Clock).ConfigureAwait(false) is > 0 and int count)
        {
            context.Terminal.Line($"Stopped {count} {(count == 1 ? "node" : "nodes")} that an earlier network had left behind.");
        }
    }

    private static string Served(NetworkOptions options) => options.Replicas == 1
        ? $"{options.Shards} {(options.Shards == 1 ? "shard" : "shards")}"
        : $"{options.Shards * options.Replicas} shards, every block on {options.Replicas} of them";

    private void Welcome(string url, NetworkPlan plan)
    {
        string shown = url.Replace("127.0.0.1", "localhost", StringComparison.Ordinal);
        string body = $$"""{\"model\":\"{{plan.Model.Name}}\",\"messages\":[{\"role\":\"user\",\"content\":\"What is KwaaiNet?\"}]}""";
        Terminal terminal = context.Terminal;
        terminal.Line();
        terminal.Line($"KwaaiNet is up: {plan.Model.Name} on {Served(plan.Options)}.");
        terminal.Line();
        terminal.Line($"  API    {shown}/v1   (any OpenAI client; any API key)");
        terminal.Line($"  open   {shown}");
        terminal.Line($"  try    curl {shown}/v1/chat/completions -H \"Content-Type: application/json\" -d \"{body}\"");
        terminal.Line($"  talk   {CommandName.For("chat")}");
        terminal.Line($"  look   {CommandName.For("status")}");
        terminal.Line();
        terminal.Line(detached ? $"It runs until '{CommandName.For("down")}'." : "Ctrl-C stops it.");
        if (detached)
        {
            terminal.Line(EndOfStart);
        }
    }
}
