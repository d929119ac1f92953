namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>Notices from outside when the loop does not come to the end of a turn: a device that hangs says nothing.</summary>
/// <remarks>
/// Looks are counted, not seconds, so that a pause of the whole process, or of the machine, is not taken for the device's. The loop's side is two writes a
/// turn; <see cref="Look"/> belongs to one timer.
/// </remarks>
/// <param name="patience">What a turn may take at least, however quick turns have been.</param>
internal sealed class LoopWatch(TimeSpan patience)
{
    /// <summary>Time between two looks.</summary>
    public static readonly TimeSpan Period = TimeSpan.FromMilliseconds(500);

    // Generous: what else runs on a machine may slow a turn by ten.
    private const double TimesExpected = 20;

    private long _turn;
    private double _expected;
    private long _seen;
    private int _looks;
    private volatile bool _isStuck;

    /// <summary>Whether a turn has been running for longer than it may.</summary>
    public bool IsStuck => _isStuck;

    /// <summary>A turn begins.</summary>
    public void Begin()
    {
        Volatile.Write(ref _expected, 0);
        Volatile.Write(ref _turn, _turn + 1);
    }

    /// <summary>The turn computes, which is expected to take so many seconds.</summary>
    public void Expect(double seconds) => Volatile.Write(ref _expected, seconds);

    /// <summary>The turn is over; the loop may sleep.</summary>
    public void End() => Volatile.Write(ref _turn, _turn + 1);

    /// <summary>Looks at the loop; true when <see cref="IsStuck"/> has changed.</summary>
    public bool Look()
    {
        long turn = Volatile.Read(ref _turn);
        bool isRunning = (turn & 1) != 0;
        _looks = isRunning && turn == _seen ? _looks + 1 : 0;
        _seen = turn;
        double limit = Math.Max(patience.TotalSeconds, TimesExpected * Volatile.Read(ref _expected));
        bool isStuck = _looks * Period.TotalSeconds >= limit;
        if (isStuck == _isStuck) return false;

        _isStuck = isStuck;
        return true;
    }
}
