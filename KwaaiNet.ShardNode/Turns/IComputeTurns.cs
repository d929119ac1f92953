namespace KwaaiNet.ShardNode.Turns;

/// <summary>Whose turn it is to compute, where several compute with the same processors. Entered and left by one thread.</summary>
internal interface IComputeTurns : IDisposable
{
    /// <summary>Waits for the turn. The caller computes in either case, and then calls <see cref="Leave"/>.</summary>
    void Enter();

    /// <summary>Lets the next one go on.</summary>
    void Leave();
}
