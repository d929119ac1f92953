using KwaaiNet.Protocol.Discovery;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Placement;

namespace KwaaiNet.ShardNode.Lifecycle;

/// <summary>How a shard that was not told its blocks comes to them: from one watch of the directory, and from its memory where the directory is away.</summary>
/// <param name="model">What it serves blocks of.</param>
/// <param name="view">The directory's records of this model.</param>
/// <param name="board">The same, as claims and services.</param>
/// <param name="placer">Chooses and gives way.</param>
/// <param name="rules">What bounds a choice.</param>
/// <param name="last">What was chosen before.</param>
/// <param name="time">The clock of its patience.</param>
internal sealed class SelfPlacement(
    OpenedModel model, NodeDirectoryView view, DirectoryBoard board, Placer placer, PlacementRules rules, LastPlacement last, TimeProvider time) : IAsyncDisposable
{
    // A discovery service that runs answers within a fraction of this, on a busy machine too.
    internal static readonly TimeSpan Patience = TimeSpan.FromSeconds(4);

    /// <summary>Chooses and gives way.</summary>
    public Placer Placer => placer;

    /// <summary>Begins to watch the directory.</summary>
    public Task StartAsync(CancellationToken cancellationToken) => view.StartAsync(cancellationToken);

    /// <summary>Chooses blocks. While the directory is away: those chosen last, which nobody has been asked about; without such, waits for it.</summary>
    public async Task<(PlacementDecision Decision, bool IsClaimed)> ChooseAsync(CancellationToken stop)
    {
        PlacementDecision? before = last.Read(model);
        if (before is null || rules.Fits?.Invoke(before.Range) == false) return (await placer.ClaimAsync(stop).ConfigureAwait(false), true);

        PlacementDecision? claimed = await AskAsync(async token => await placer.ClaimAsync(token).ConfigureAwait(false), null, stop).ConfigureAwait(false);
        return (claimed ?? before, claimed is not null);
    }

    /// <summary>Whether blocks that have been loaded may be served. While the directory is away nobody can object; who does so later is heard then.</summary>
    public Task<bool> StillHoldsAsync(PlacementDecision decision, CancellationToken stop) =>
        AskAsync(token => placer.StillHoldsAsync(decision, token), true, stop);

    /// <summary>Remembers what is served.</summary>
    public void Remember(PlacementDecision decision) => last.Write(model, decision);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await view.StopAsync(CancellationToken.None).ConfigureAwait(false);
        view.Dispose();
    }

    // Given up after a while only where the directory is not there: one that is there is waited for.
    private async Task<T> AskAsync<T>(Func<CancellationToken, Task<T>> ask, T otherwise, CancellationToken stop)
    {
        using CancellationTokenSource over = CancellationTokenSource.CreateLinkedTokenSource(stop);
        Task<T> asking = ask(over.Token);
        Task patience = Task.Delay(Patience, time, over.Token);
        await Task.WhenAny(asking, patience).ConfigureAwait(false);
        bool isAway = !asking.IsCompleted && !board.IsReachable;
        if (isAway) await over.CancelAsync().ConfigureAwait(false);
        await ((Task)asking).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        stop.ThrowIfCancellationRequested();
        await over.CancelAsync().ConfigureAwait(false);
        return isAway && asking.IsCanceled ? otherwise : await asking.ConfigureAwait(false);
    }
}
