using KwaaiNet.ShardNode.Sessions;
using KwaaiNet.ShardNode.Turns;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>How a step loop behaves.</summary>
/// <param name="Limits">What bounds sessions.</param>
/// <param name="PrefillRows">Prompt rows a turn may have at most.</param>
/// <param name="IterationTarget">What a turn of the whole model should stay within; blocks that are a part of it take their share.</param>
/// <param name="Patience">How long a turn may take at least before the loop counts as stuck.</param>
internal sealed record StepLoopOptions(SessionLimits Limits, int PrefillRows, TimeSpan IterationTarget, TimeSpan Patience)
{
    /// <summary>Prompt positions a second, measured when the blocks were loaded; 0: not measured.</summary>
    public double MeasuredPrefill { get; init; }

    /// <summary>Decode steps a second, measured when the blocks were loaded; 0: not measured.</summary>
    public double MeasuredDecode { get; init; }

    /// <summary>Whose turn it is to compute; the loop's from here on.</summary>
    public IComputeTurns Turns { get; init; } = new FreeTurns();

    /// <summary>Sessions that may run together in one turn.</summary>
    public int MaxSteps { get; init; } = 256;
}
