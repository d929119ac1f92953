using System.Text.Json.Serialization;

namespace KwaaiNet.ApiNode.OpenAIJson;

/// <summary>The answer of <c>/health</c>.</summary>
/// <param name="Status"><c>Healthy</c> or <c>Unhealthy</c>.</param>
/// <param name="Discovery">Whether discovery can be relied on.</param>
/// <param name="DiscoveryReason">Why not; absent when it can.</param>
/// <param name="Nodes">Nodes known.</param>
/// <param name="Models">Every model and whether a chain can serve it now.</param>
internal sealed record HealthReply(
    string Status, bool Discovery, [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? DiscoveryReason, int Nodes,
    IReadOnlyList<HealthModel> Models);

/// <summary>One model's readiness.</summary>
/// <param name="Id">The model.</param>
/// <param name="Ready">Whether it can be used now.</param>
/// <param name="Reason">Why not; null when it can.</param>
internal sealed record HealthModel(string Id, bool Ready, string? Reason);
