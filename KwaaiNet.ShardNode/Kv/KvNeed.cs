namespace KwaaiNet.ShardNode.Kv;

/// <summary>How much KV a session is expected to need: a guess that decides who is let in, never who may go on.</summary>
/// <remarks>
/// A limit says little: most answers end long before theirs. A session is taken to write as much again as it has written, and no less than
/// <see cref="LeastAhead"/> positions. Where that was too little, the youngest session is preempted.
/// </remarks>
/// <param name="First">Positions that it fills at once: its prompt.</param>
/// <param name="Most">Positions that it may reach.</param>
internal readonly record struct KvNeed(int First, int Most)
{
    /// <summary>Positions that every session is expected to write, if it may.</summary>
    internal const int LeastAhead = 128;

    /// <summary>Positions it is expected to reach, once so many are filled.</summary>
    internal int Expected(int filled)
    {
        int start = Math.Min(First, Most);
        int ahead = Math.Max(LeastAhead, filled - start);
        return (int)Math.Min(Most, (long)Math.Max(start, filled) + ahead);
    }
}
