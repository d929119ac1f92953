namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>What turns of these blocks take, learnt from those that ran: decode steps by how many ran together, and what a prompt's row adds to them. Belongs to the step loop.</summary>
/// <remarks>
/// Exponentially weighted means of wall-clock time, so that what else runs on the machine is in them. A single turn that took very long (a
/// pause of the process) moves them little, a machine that stays slow moves them within some dozen turns.
/// </remarks>
internal sealed class TurnCost
{
    private const double Weight = 0.1;

    // What one turn may claim to be slower than expected.
    private const double MostSurprise = 4;

    private readonly double[] _steps;
    private double _row;

    /// <summary>Begins with what was measured when the blocks were loaded.</summary>
    /// <param name="mostSteps">Decode steps that may run together.</param>
    /// <param name="stepsPerSecond">Single decode steps a second; 0: not measured.</param>
    /// <param name="rowsPerSecond">Prompt rows a second; 0: not measured.</param>
    public TurnCost(int mostSteps, double stepsPerSecond, double rowsPerSecond)
    {
        _steps = new double[mostSteps + 1];
        if (stepsPerSecond > 0) _steps[1] = 1 / stepsPerSecond;
        if (rowsPerSecond > 0) _row = 1 / rowsPerSecond;
    }

    /// <summary>Decode steps that may run together.</summary>
    public int MostSteps => _steps.Length - 1;

    /// <summary>Seconds a prompt's row takes; 0: not known.</summary>
    public double Row => _row;

    /// <summary>Seconds a turn of so many decode steps and nothing else takes; 0: not known.</summary>
    public double Steps(int count)
    {
        if (count == 0) return 0;
        if (_steps[count] > 0) return _steps[count];

        int below = count - 1;
        while (below > 0 && _steps[below] <= 0) below--;
        int above = count + 1;
        while (above < _steps.Length && _steps[above] <= 0) above++;
        bool hasAbove = above < _steps.Length;
        if (below == 0) return hasAbove ? _steps[above] : 0;

        // A step that joins costs no more than a row of a prompt does: the weights are read all the same.
        if (!hasAbove) return _steps[below] + ((count - below) * Math.Min(_row, _steps[below] / below));

        double share = (double)(count - below) / (above - below);
        return _steps[below] + (share * (_steps[above] - _steps[below]));
    }

    /// <summary>Seconds a turn is expected to take; 0: not known. A prompt's first row alone costs what a step does: the weights are read for it.</summary>
    public double Turn(int steps, int promptRows) => steps > 0 || promptRows == 0 ? Steps(steps) + (promptRows * _row) : Steps(1) + ((promptRows - 1) * _row);

    /// <summary>Adds a turn that has run.</summary>
    public void Add(int steps, int promptRows, TimeSpan elapsed)
    {
        double seconds = elapsed.TotalSeconds;
        if (seconds <= 0) return;

        bool isKnown = steps == 0 || _steps[steps] > 0;
        double expected = Turn(steps, promptRows);
        if (expected > 0 && isKnown && (promptRows == 0 || _row > 0)) seconds = Math.Min(seconds, MostSurprise * expected);
        if (promptRows == 0)
        {
            _steps[steps] = Mean(_steps[steps], seconds);
            return;
        }

        int more = steps > 0 ? promptRows : promptRows - 1;
        if (more == 0) return;

        // What is over the decode steps is the rows'; never nothing, or one turn that was quick by chance would open the gate.
        double rows = Math.Max(seconds - Steps(Math.Max(1, steps)), seconds * more / (steps + promptRows) / MostSurprise);
        _row = Mean(_row, rows / more);
    }

    private static double Mean(double before, double now) => before <= 0 ? now : before + (Weight * (now - before));
}
