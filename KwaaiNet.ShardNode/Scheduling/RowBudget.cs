namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>How many prompt rows a turn may have, so that others' next tokens come in time. Pure, but for the costs it reads.</summary>
/// <remarks>
/// With one prompt in line, a turn stays within the target or takes 1.75 times what its decode steps take alone, whichever is longer. Every further prompt
/// in line gets as much again, up to six targets: all of them wait for a first token, and one at a time would keep the last of a burst waiting
/// until the first has its whole answer. While nobody decodes, nobody is kept waiting but who comes next: then a turn may take six targets.
/// </remarks>
/// <param name="target">What a turn should stay within.</param>
/// <param name="mostRows">Rows a turn may have, however fast the device.</param>
/// <param name="cost">What turns take.</param>
internal sealed class RowBudget(TimeSpan target, int mostRows, TurnCost cost)
{
    // A turn's limit where many wait or nobody decodes, in targets.
    private const double Stretch = 6;

    // What a prompt may add to decode steps that take longer than the target by themselves: less than they take, so that gaps less than double.
    private const double ShareOfSteps = 0.75;

    // Matrix products run rows in tiles of so many, and a started tile costs nearly a whole one. Fewer rows are never worth a turn: shards that share
    // a machine would see one another's turns as their own cost, and take fewer and fewer.
    private const int Tile = 8;

    /// <summary>Rows of a turn that runs <paramref name="steps"/> decode steps; at least a tile of eight.</summary>
    /// <param name="steps">Decode steps in the turn.</param>
    /// <param name="othersDecode">Whether sessions decode here, be their steps ready or somewhere else in their chains.</param>
    /// <param name="prompts">Prompts in line.</param>
    public int Rows(int steps, bool othersDecode, int prompts)
    {
        // Not measured, or too fast to be: a clock that does not move says nothing.
        if (cost.Row <= 0) return mostRows;

        double seconds = target.TotalSeconds;
        double decode = cost.Steps(steps);
        double room = Stretch * seconds;
        if (steps > 0)
        {
            room = Math.Min(room, Math.Max(1, prompts) * Math.Max(seconds - decode, ShareOfSteps * decode));
            room = Math.Max(room, ShareOfSteps * decode);
        }
        else if (othersDecode)
        {
            // A step that comes during this turn waits for its end, and then takes a turn itself.
            room = Math.Min(room, Math.Max(1, prompts) * seconds / 2);
        }

        double rows = (room - cost.Turn(0, steps > 0 ? 0 : 1)) / cost.Row;
        return (int)Math.Clamp(Math.Floor(rows / Tile) * Tile, Math.Min(Tile, mostRows), mostRows);
    }
}
