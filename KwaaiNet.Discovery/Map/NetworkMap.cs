using System.Text.Json.Serialization;

namespace KwaaiNet.Discovery.Map;

/// <summary>What <c>GET /network</c> answers: every live node and how well each model is covered. The shape is described in docs/discovery.md.</summary>
/// <param name="Live">Whether the directory is being watched right now; false: what follows is the last that was known.</param>
/// <param name="AtUnixMs">When the map was drawn, in Unix milliseconds.</param>
/// <param name="Nodes">The live nodes, by node id.</param>
/// <param name="Models">The models that somebody serves.</param>
public sealed record NetworkMap(bool Live, long AtUnixMs, IReadOnlyList<MapNode> Nodes, IReadOnlyList<MapModel> Models);

/// <summary>Source-generated JSON of <see cref="NetworkMap"/>.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(NetworkMap))]
internal sealed partial class NetworkMapJson : JsonSerializerContext;
