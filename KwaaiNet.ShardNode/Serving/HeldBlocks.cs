using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Scheduling;

namespace KwaaiNet.ShardNode.Serving;

/// <summary>The blocks this node holds at one moment. Immutable.</summary>
/// <param name="State">Claimed and loading, ready, or leaving; unspecified: nothing yet.</param>
/// <param name="Range">The blocks; null: none chosen.</param>
/// <param name="Loop">The loop that runs them; null until they are loaded.</param>
internal sealed record HeldBlocks(ServingState State, BlockRange? Range, StepLoop? Loop)
{
    /// <summary>Nothing chosen, nothing loaded.</summary>
    public static HeldBlocks Nothing { get; } = new(ServingState.Unspecified, null, null);
}
