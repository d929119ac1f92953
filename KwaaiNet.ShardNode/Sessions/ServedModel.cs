using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>What the loaded blocks are, as sessions must name them.</summary>
/// <param name="Model">The announced name.</param>
/// <param name="WeightsHash">SHA-256 of the file, lower-case hex.</param>
/// <param name="Shape">The whole model's dimensions.</param>
/// <param name="Range">The blocks held.</param>
internal sealed record ServedModel(string Model, string WeightsHash, ModelShape Shape, BlockRange Range);
