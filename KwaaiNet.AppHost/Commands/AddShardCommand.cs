using Microsoft.Extensions.DependencyInjection;

namespace KwaaiNet.AppHost.Commands;

/// <summary>Starts one more shard: one of the spare ones that are in the model and start only when they are told to.</summary>
internal static class AddShardCommand
{
    /// <summary>The command's name.</summary>
    public const string Name = "add-shard";

    /// <summary>Adds the command.</summary>
    /// <param name="api">The resource it appears on.</param>
    /// <param name="spares">The spare shards, in the order they are started.</param>
    public static IResourceBuilder<ProjectResource> WithAddShardCommand(this IResourceBuilder<ProjectResource> api, IReadOnlyList<ProjectResource> spares) =>
        api.WithCommand(Name, "Add shard", context => AddAsync(spares, context), new CommandOptions
        {
            Description = "For development. Starts one more shard node: it takes blocks that nobody holds, or joins the ones that the fewest hold.",
            IconName = "AddCircle",
            IsHighlighted = true,
        });

    private static async Task<ExecuteCommandResult> AddAsync(IReadOnlyList<ProjectResource> spares, ExecuteCommandContext context)
    {
        ResourceNotificationService notifications = context.Services.GetRequiredService<ResourceNotificationService>();
        ProjectResource[] waiting = [.. spares.Where(spare => IsIdle(notifications, spare))];
        if (waiting is not [ProjectResource next, ..])
        {
            return CommandResults.Failure($"All {spares.Count} spare shards run. For more, set Parameters:shards or Parameters:replicas and start the AppHost again.");
        }

        ExecuteCommandResult started = await context.Services.GetRequiredService<ResourceCommandService>()
            .ExecuteCommandAsync(next, KnownResourceCommands.StartCommand, context.CancellationToken).ConfigureAwait(false);
        return started.Success
            ? CommandResults.Success($"{next.Name} starts; {Left(waiting.Length - 1)}.")
            : CommandResults.Failure($"{next.Name} does not start: {started.Message}");
    }

    private static bool IsIdle(ResourceNotificationService notifications, ProjectResource spare) =>
        notifications.TryGetCurrentState(spare.Name, out ResourceEvent? current)
        && current.Snapshot.State?.Text is { } state
        && (state == KnownResourceStates.NotStarted || KnownResourceStates.TerminalStates.Contains(state));

    private static string Left(int count) => count switch
    {
        0 => "no spare shard is left",
        1 => "one more is left",
        _ => $"{count} more are left",
    };
}
