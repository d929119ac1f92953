namespace KwaaiNet.ShardNode.Sessions;

/// <summary>How long sessions last here, and so when those that are open may be over: what a node that was refused is told to wait. Belongs to the step loop.</summary>
internal sealed class SessionLifetimes
{
    private const double Weight = 0.2;

    // Asking again sooner only costs both sides; later than this nobody can know.
    private static readonly TimeSpan s_least = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_most = TimeSpan.FromSeconds(60);

    private readonly List<(TimeSpan Left, long Bytes)> _ends = [];
    private double _mean;

    /// <summary>Adds a session that is over.</summary>
    public void Add(TimeSpan lifetime) => _mean = _mean <= 0 ? lifetime.TotalSeconds : _mean + (Weight * (lifetime.TotalSeconds - _mean));

    /// <summary>When so many sessions, and so many bytes of theirs, may have ended; null: nothing has ended yet that one could go by.</summary>
    /// <param name="open">Age and bytes of the open sessions.</param>
    /// <param name="sessions">Sessions that have to end.</param>
    /// <param name="bytes">Bytes that have to become free.</param>
    public TimeSpan? Until(IEnumerable<(TimeSpan Age, long Bytes)> open, int sessions, long bytes)
    {
        if (_mean <= 0) return null;

        _ends.Clear();
        foreach ((TimeSpan age, long held) in open)
        {
            // One that has lasted longer than most says nothing about its end; half a lifetime is as good a guess as any.
            double left = age.TotalSeconds < _mean ? _mean - age.TotalSeconds : _mean / 2;
            _ends.Add((TimeSpan.FromSeconds(left), held));
        }

        _ends.Sort(static (one, other) => one.Left.CompareTo(other.Left));
        TimeSpan until = s_most;
        foreach ((TimeSpan left, long held) in _ends)
        {
            sessions--;
            bytes -= held;
            until = left;
            if (sessions <= 0 && bytes <= 0) break;
        }

        if (sessions > 0 || bytes > 0) until = s_most;
        return until < s_least ? s_least : until > s_most ? s_most : until;
    }
}
