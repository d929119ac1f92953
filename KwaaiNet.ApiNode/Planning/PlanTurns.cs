namespace KwaaiNet.ApiNode.Planning;

/// <summary>Numbers plans, so that equal chains take turns. Safe for concurrent use.</summary>
/// <param name="first">The first number: API nodes that begin at the same one would all find the same chain first.</param>
/// <param name="step">How far it goes on from plan to plan.</param>
internal sealed class PlanTurns(int first, int step = 1)
{
    private int _next = first;

    /// <summary>The next number.</summary>
    public int Next() => Interlocked.Add(ref _next, step) - step;
}
