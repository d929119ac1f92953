using System.ComponentModel;
using System.Globalization;
using KwaaiNet.AppHost.Processes;
using KwaaiNet.AppHost.Settings;
using KwaaiNet.AppHost.Shards;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace KwaaiNet.AppHost.Commands;

/// <summary>What a developer does to a shard to see what the network makes of it: kill, freeze, drain.</summary>
internal static class ShardCommands
{
    /// <summary>Name of the command that ends the process without a word.</summary>
    public const string Kill = "kill";

    /// <summary>Name of the command that makes the process stand still for <see cref="FreezeSeconds"/>.</summary>
    public const string Freeze = "freeze";

    /// <summary>Name of the command that lets the shard finish and leave.</summary>
    public const string Drain = "drain";

    /// <summary>How long a frozen shard stands still, in seconds.</summary>
    public const int FreezeSeconds = 20;

    private const string Development = "For development.";
    private const string Unanswered = "Unless another shard holds its blocks, answers that are under way end with an error.";

    /// <summary>Adds the three commands.</summary>
    public static IResourceBuilder<ProjectResource> WithShardCommands(this IResourceBuilder<ProjectResource> shard)
    {
        ProjectResource resource = shard.Resource;
        return shard
            .WithCommand(Kill, "Kill", context => KillAsync(resource, context), new CommandOptions
            {
                Description = $"{Development} Ends the node's process at once, as a crash or a power cut does (SIGKILL).",
                ConfirmationMessage = $"Kill {resource.Name}? It cannot say goodbye. {Unanswered}",
                IconName = "DismissCircle",
                UpdateState = WhileRunning,
            })
            .WithCommand(Freeze, $"Freeze for {FreezeSeconds} s", context => FreezeAsync(resource, context), new CommandOptions
            {
                Description = $"{Development} The node's process stands still with its connections open (SIGSTOP), and goes on by itself.",
                ConfirmationMessage = $"Freeze {resource.Name} for {FreezeSeconds} s? {Unanswered}",
                IconName = "WeatherSnowflake",
                UpdateState = WhileRunning,
            })
            .WithCommand(Drain, "Drain", context => DrainAsync(resource, context), new CommandOptions
            {
                Description = $"{Development} The shard takes no new sessions, lets open ones finish or move for a few seconds, and stops with exit code 0.",
                ConfirmationMessage = $"Drain and stop {resource.Name}? Without another shard that holds its blocks the network is incomplete afterwards.",
                IconName = "ArrowExit",
                UpdateState = WhileRunning,
            });
    }

    private static ResourceCommandState WhileRunning(UpdateCommandStateContext context) =>
        context.ResourceSnapshot.State?.Text == KnownResourceStates.Running ? ResourceCommandState.Enabled : ResourceCommandState.Disabled;

    private static async Task<ExecuteCommandResult> KillAsync(ProjectResource shard, ExecuteCommandContext context)
    {
        if (await FindAsync(shard, context).ConfigureAwait(false) is not { } process) return NoProcess(shard);

        try
        {
            return await process.KillAsync(context.CancellationToken).ConfigureAwait(false)
                ? CommandResults.Success($"Killed {shard.Name}, process {process.Id}. Its Start command brings it back.")
                : NoProcess(shard);
        }
        catch (Exception failure) when (failure is Win32Exception or TimeoutException)
        {
            return CommandResults.Failure($"{shard.Name}, process {process.Id}, was not killed: {failure.Message}");
        }
    }

    private static async Task<ExecuteCommandResult> FreezeAsync(ProjectResource shard, ExecuteCommandContext context)
    {
        if (await FindAsync(shard, context).ConfigureAwait(false) is not { } process) return NoProcess(shard);

        FrozenProcesses frozen = context.Services.GetRequiredService<FrozenProcesses>();
        ILogger logger = context.Logger;
        try
        {
            return frozen.Freeze(process, TimeSpan.FromSeconds(FreezeSeconds), () => logger.LogInformation("Thawed {Shard}, process {ProcessId}.", shard.Name, process.Id))
                ? CommandResults.Success(string.Create(CultureInfo.InvariantCulture, $"{shard.Name}, process {process.Id}, stands still for {FreezeSeconds} s and then goes on."))
                : CommandResults.Failure($"{shard.Name} stands still already.");
        }
        catch (Win32Exception failure)
        {
            return CommandResults.Failure($"{shard.Name}, process {process.Id}, was not frozen: {failure.Message}");
        }
    }

    private static async Task<ExecuteCommandResult> DrainAsync(ProjectResource shard, ExecuteCommandContext context)
    {
        ShardClient client = context.Services.GetRequiredService<ShardClient>();
        DrainAnswer? answer = await client.DrainAsync(shard.GetEndpoint(ResourceNames.Http), context.CancellationToken).ConfigureAwait(false);
        return answer is null
            ? CommandResults.Failure($"{shard.Name} does not answer. If it is frozen, it can be drained when it goes on.")
            : CommandResults.Success($"{shard.Name} drains: {Sessions(answer.Sessions)} may go on for {answer.Seconds} s, then it stops. Its Start command brings it back.");
    }

    private static Task<ShardProcess?> FindAsync(ProjectResource shard, ExecuteCommandContext context) =>
        context.Services.GetRequiredService<ShardBoard>().FindProcessAsync(shard, context.CancellationToken);

    private static ExecuteCommandResult NoProcess(ProjectResource shard) =>
        CommandResults.Failure($"{shard.Name} has no process that is known here. Wait until it has started.");

    private static string Sessions(int count) => count switch
    {
        0 => "no open session",
        1 => "one open session",
        _ => string.Create(CultureInfo.InvariantCulture, $"{count} open sessions"),
    };
}
