namespace KwaaiNet.CandelEngine.Models;

/// <summary>What one block's attention does differently from its neighbours'.</summary>
/// <param name="Window">A position sees itself and the <c>Window − 1</c> before it; 0 when it sees all.</param>
/// <param name="Rope">The rotation of queries and keys; null when the block has none.</param>
public readonly record struct BlockAttention(int Window, RopeSettings? Rope)
{
    /// <summary>First position that a position attends to.</summary>
    public int FirstSeen(int position) => Window == 0 ? 0 : Math.Max(0, position - Window + 1);
}
