namespace KwaaiNet.ShardNode.Turns;

/// <summary>Turns of all processes of this user on this machine that compute with all of its processors.</summary>
/// <remarks>
/// Shards that hold the blocks of one model one behind the other take turns by nature while they decode. With a prompt under way all of them have work, and two
/// threads each of four shards on two processors get into each other's way: whichever thread the system stops is waited for by its shard's others at
/// the end of every matrix product, caches are filled four times, and each shard learns that its turns take four times what they take.
/// One after the other they do the same work sooner.
/// <para>
/// Two named mutexes, the system's own: whoever waits for the turn holds the place behind it, so that the one that leaves cannot be first again.
/// A process that dies leaves both. One that is stopped while it computes would hold up everybody: who has waited in vain goes without
/// turns for a while.
/// </para>
/// </remarks>
internal sealed class MachineTurns : IComputeTurns
{
    /// <summary>How long nobody's turn is waited for after one was waited for in vain.</summary>
    public static readonly TimeSpan WithoutTurns = TimeSpan.FromSeconds(10);

    private readonly Mutex _place;
    private readonly Mutex _turn;
    private readonly TimeSpan _patience;
    private readonly TimeProvider _time;
    private long _inVain;
    private bool _goesWithout;

    /// <summary>Joins the processes that take turns by a name.</summary>
    /// <param name="name">The name.</param>
    /// <param name="patience">How long a turn is waited for: some times what one takes.</param>
    /// <param name="time">The clock of <see cref="WithoutTurns"/>.</param>
    /// <exception cref="IOException">The system has no place for the mutex.</exception>
    /// <exception cref="UnauthorizedAccessException">The mutex may not be opened.</exception>
    /// <exception cref="WaitHandleCannotBeOpenedException">The name is something else's.</exception>
    public MachineTurns(string name, TimeSpan patience, TimeProvider time)
    {
        // Of one user, and across sessions: a service and a terminal share the processors as well.
        NamedWaitHandleOptions mine = new() { CurrentUserOnly = true, CurrentSessionOnly = false };
        _place = new Mutex($"{name}-place", mine);
        _turn = new Mutex($"{name}-turn", mine);
        _patience = patience;
        _time = time;
    }

    /// <summary>Whether it is this one's turn; false as well while it computes without.</summary>
    public bool HasTurn { get; private set; }

    /// <inheritdoc/>
    public void Enter()
    {
        if (_goesWithout && _time.GetElapsedTime(_inVain) < WithoutTurns) return;

        _goesWithout = false;
        if (Wait(_place))
        {
            HasTurn = Wait(_turn);
            _place.ReleaseMutex();
        }

        if (HasTurn) return;

        _goesWithout = true;
        _inVain = _time.GetTimestamp();
    }

    /// <inheritdoc/>
    public void Leave()
    {
        if (!HasTurn) return;

        HasTurn = false;
        _turn.ReleaseMutex();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _place.Dispose();
        _turn.Dispose();
    }

    private bool Wait(Mutex mutex)
    {
        try
        {
            return mutex.WaitOne(_patience);
        }
        catch (AbandonedMutexException)
        {
            // Its holder died; it is this thread's now.
            return true;
        }
    }
}
