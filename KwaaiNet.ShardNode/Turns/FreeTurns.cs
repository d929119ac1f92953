namespace KwaaiNet.ShardNode.Turns;

/// <summary>It is always one's turn: a device or processors of one's own.</summary>
internal sealed class FreeTurns : IComputeTurns
{
    /// <inheritdoc/>
    public void Enter()
    {
        // Nobody to wait for.
    }

    /// <inheritdoc/>
    public void Leave()
    {
        // Nobody waits.
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        // Nothing held.
    }
}
