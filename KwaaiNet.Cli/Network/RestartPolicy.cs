namespace KwaaiNet.Cli.Network;

/// <summary>Whether and when a node that ended without being asked is started again. Of one node; not safe for concurrent use.</summary>
/// <param name="clock">What time it is.</param>
/// <param name="enabled">False: never (<c>--no-restart</c>).</param>
internal sealed class RestartPolicy(TimeProvider clock, bool enabled)
{
    /// <summary>The wait before the first restart; it doubles from one to the next.</summary>
    public static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest wait.</summary>
    public static readonly TimeSpan LongestDelay = TimeSpan.FromSeconds(10);

    /// <summary>A node that was ready for so long is well again: its next wait is the first one.</summary>
    public static readonly TimeSpan HealthyTime = TimeSpan.FromMinutes(1);

    /// <summary>The time in which <see cref="Limit"/> restarts are allowed.</summary>
    public static readonly TimeSpan Window = TimeSpan.FromMinutes(5);

    /// <summary>Restarts within <see cref="Window"/>; the next end is final.</summary>
    public const int Limit = 5;

    // The hosts' exit codes, as the README has them.
    private const int StoppedOnPurpose = 0;
    private const int WrongSetting = 2;

    private readonly Queue<long> _restarts = [];
    private TimeSpan _delay = FirstDelay;
    private long? _readySince;

    /// <summary>The node takes work.</summary>
    public void Ready() => _readySince = clock.GetTimestamp();

    /// <summary>The node has ended though nobody here asked it to.</summary>
    /// <param name="exitCode">How; null: it could not even be started.</param>
    public RestartVerdict Ended(int? exitCode)
    {
        if (_readySince is { } since && clock.GetElapsedTime(since) >= HealthyTime)
        {
            _delay = FirstDelay;
        }

        _readySince = null;
        if (!enabled)
        {
            return RestartVerdict.No("nodes are not started again (--no-restart)");
        }

        if (exitCode is StoppedOnPurpose or WrongSetting)
        {
            return RestartVerdict.No(exitCode == StoppedOnPurpose ? "it was stopped on purpose" : "a setting of it is wrong, and would be wrong again");
        }

        while (_restarts.TryPeek(out long oldest) && clock.GetElapsedTime(oldest) >= Window)
        {
            _restarts.Dequeue();
        }

        if (_restarts.Count >= Limit)
        {
            return RestartVerdict.No($"it was started again {Limit} times within {Window.TotalMinutes:0} minutes", isLimit: true);
        }

        _restarts.Enqueue(clock.GetTimestamp());
        TimeSpan delay = _delay;
        _delay = delay * 2 < LongestDelay ? delay * 2 : LongestDelay;
        return RestartVerdict.After(delay);
    }
}
