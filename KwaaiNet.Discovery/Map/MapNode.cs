namespace KwaaiNet.Discovery.Map;

/// <summary>A live node.</summary>
/// <param name="NodeId">Its did:key.</param>
/// <param name="Network">The network it belongs to.</param>
/// <param name="Role"><c>shard</c>, <c>api</c> or <c>unknown</c>.</param>
/// <param name="Region">Where it says it stands; empty when unknown.</param>
/// <param name="Endpoints">Its gRPC addresses, most preferred first.</param>
/// <param name="HttpEndpoint">Its HTTP/1 address; null when it names none.</param>
/// <param name="Software">What it runs.</param>
/// <param name="MemoryBytes">Resident memory of its process, as it says.</param>
/// <param name="StartedUnixMs">When it started, in Unix milliseconds, as it says; 0: it does not say.</param>
/// <param name="AgeMs">Milliseconds since its record was issued, by the two clocks involved; never below 0.</param>
/// <param name="TtlMs">How long a record of it lives.</param>
/// <param name="Serving">What it serves.</param>
public sealed record MapNode(
    string NodeId,
    string Network,
    string Role,
    string Region,
    IReadOnlyList<string> Endpoints,
    string? HttpEndpoint,
    string Software,
    long MemoryBytes,
    long StartedUnixMs,
    long AgeMs,
    uint TtlMs,
    IReadOnlyList<MapServing> Serving);
