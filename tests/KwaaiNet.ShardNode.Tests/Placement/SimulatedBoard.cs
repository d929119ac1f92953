using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Placement;

namespace KwaaiNet.ShardNode.Tests.Placement;

/// <summary>A directory in which every word takes a random time to arrive, and time that runs as fast as it is simulated.</summary>
/// <remarks>One thread: continuations run inside <see cref="Run"/>, so a seed gives the same interleaving every time.</remarks>
internal sealed class SimulatedBoard(int seed, int maxDelay)
{
    private readonly Random _random = new(seed);
    private readonly PriorityQueue<TaskCompletionSource, (int Time, int Order)> _events = new();
    private readonly Dictionary<string, Holding> _holdings = [];
    private int _now;
    private int _order;

    public IReadOnlyDictionary<string, Holding> Holdings => _holdings;

    /// <summary>Runs until nothing is left to happen.</summary>
    public void Run(int maxEvents)
    {
        for (int i = 0; i < maxEvents; i++)
        {
            if (!Step()) return;
        }

        throw new InvalidOperationException($"Not settled after {maxEvents} events.");
    }

    /// <summary>Lets the next thing happen; false when there is none.</summary>
    public bool Step()
    {
        if (!_events.TryDequeue(out TaskCompletionSource? next, out (int Time, int Order) when)) return false;

        _now = when.Time;
        next.SetResult();
        return true;
    }

    public Task DelayAsync(int most)
    {
        TaskCompletionSource delay = new();
        _events.Enqueue(delay, (_now + _random.Next(most + 1), _order++));
        return delay.Task;
    }

    public async Task WriteAsync(Holding holding)
    {
        await DelayAsync(maxDelay).ConfigureAwait(false);
        _holdings[holding.NodeId] = holding;
        await DelayAsync(maxDelay).ConfigureAwait(false);
    }

    public void Remove(string nodeId) => _holdings.Remove(nodeId);

    public IPlacementBoard For(string nodeId) => new View(this, nodeId);

    private sealed class View(SimulatedBoard board, string nodeId) : IPlacementBoard
    {
        public async Task<IReadOnlyList<Holding>> ReadAsync(CancellationToken cancellationToken)
        {
            await board.DelayAsync(board.MaxDelay).ConfigureAwait(false);
            Holding[] read = [.. board._holdings.Values.Where(holding => holding.NodeId != nodeId)];
            await board.DelayAsync(board.MaxDelay).ConfigureAwait(false);
            return read;
        }

        public Task ClaimAsync(BlockRange range, CancellationToken cancellationToken) =>
            board.WriteAsync(new Holding(nodeId, range, IsReady: false));

        public Task WaitAsync(CancellationToken cancellationToken) => board.DelayAsync(5);
    }

    private int MaxDelay => maxDelay;
}
