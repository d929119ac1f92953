using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Frames;

/// <summary>A step that waits: what came, and from where.</summary>
/// <param name="Frame">The frame, as received.</param>
/// <param name="Stream">The stream it came on; null for a token this shard sampled for itself.</param>
internal readonly record struct IncomingStep(StepFrame Frame, StepStream? Stream);
