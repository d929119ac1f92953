namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>Into how many groups the sessions that decode are divided, which then follow one another round the chain: as many as gave the most steps a second. Belongs to the step loop.</summary>
/// <remarks>
/// On one machine one batch of 16 beats four of 4, for the weights are read once; on four machines it is the other way round, for all of them work.
/// Neither can be seen from here, but its result can: numbers of groups are tried, one window at a time, and the better one stays. Trials that find nothing
/// become rare. What was found is kept by how many sessions decode.
/// </remarks>
/// <param name="time">The clock of the windows.</param>
internal sealed class GroupPacer(TimeProvider time)
{
    /// <summary>Groups there may be: a chain rarely has more machines that would otherwise idle.</summary>
    public const int MaxGroups = 8;

    private const int CyclesPerWindow = 6;
    private const int FirstTrialAfter = 2;
    private const int TrialsAtLeastEvery = 32;
    private const double Weight = 0.3;

    // Less is noise.
    private const double Better = 1.05;

    private static readonly TimeSpan s_leastWindow = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan s_pause = TimeSpan.FromSeconds(1);

    // By the binary logarithm of the sessions.
    private readonly State?[] _states = new State?[32];
    private int _sessions;
    private int _steps;
    private long _began;
    private long _last;

    /// <summary>Groups for so many sessions.</summary>
    public int Groups(int sessions) => sessions < 2 ? 1 : Math.Min(sessions, Of(sessions).Current);

    /// <summary>Adds a turn that has run.</summary>
    /// <param name="steps">Decode steps in it.</param>
    /// <param name="sessions">Sessions that decode, here or elsewhere in their chains.</param>
    /// <param name="alone">Whether it held decode steps only.</param>
    public void Add(int steps, int sessions, bool alone)
    {
        long now = time.GetTimestamp();
        bool goesOn = alone && sessions == _sessions && time.GetElapsedTime(_last, now) < s_pause;
        _last = now;
        if (!goesOn || sessions < 2)
        {
            // The turn that begins a window is not in it: nobody knows when it could have begun.
            _sessions = alone ? sessions : 0;
            _steps = 0;
            _began = now;
            return;
        }

        _steps += steps;
        TimeSpan elapsed = time.GetElapsedTime(_began, now);
        if (_steps < CyclesPerWindow * sessions || elapsed < s_leastWindow) return;

        Of(sessions).Close(_steps / elapsed.TotalSeconds, Math.Min(sessions, MaxGroups));
        _steps = 0;
        _began = now;
    }

    private State Of(int sessions) => _states[int.Log2(sessions)] ??= new State();

    private sealed class State
    {
        private readonly double[] _rates = new double[MaxGroups + 1];
        private int _best = 1;
        private int _countdown = FirstTrialAfter;
        private int _patience = FirstTrialAfter;
        private bool _more = true;

        public int Current { get; private set; } = 1;

        public void Close(double rate, int most)
        {
            _rates[Current] = Current != _best || _rates[Current] <= 0 ? rate : _rates[Current] + (Weight * (rate - _rates[Current]));
            if (Current != _best)
            {
                bool won = rate > Better * _rates[_best];
                if (won) _best = Current;
                else _more = !_more;
                _patience = won ? FirstTrialAfter : Math.Min(2 * _patience, TrialsAtLeastEvery);
                _countdown = _patience;
                Current = _best;
                return;
            }

            if (--_countdown > 0) return;

            int trial = _more ? 2 * _best : _best / 2;
            if (trial < 1 || trial > most)
            {
                _more = !_more;
                trial = _more ? 2 * _best : _best / 2;
            }

            if (trial >= 1 && trial <= most) Current = trial;
            else _countdown = _patience;
        }
    }
}
