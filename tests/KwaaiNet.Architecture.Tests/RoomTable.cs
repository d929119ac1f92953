namespace KwaaiNet.Architecture.Tests;

/// <summary>Which rooms a room may know: the table of CONTRIBUTING.md.</summary>
internal static class RoomTable
{
    public static IReadOnlyDictionary<string, string[]> MayKnow { get; } = new Dictionary<string, string[]>
    {
        ["KwaaiNet.Protocol"] = [],
        ["KwaaiNet.CandelEngine"] = [],
        ["KwaaiNet.ModelStore"] = ["KwaaiNet.CandelEngine"],
        ["KwaaiNet.ServiceDefaults"] = ["KwaaiNet.Protocol"],
        ["KwaaiNet.Discovery"] = ["KwaaiNet.Protocol", "KwaaiNet.ServiceDefaults"],
        ["KwaaiNet.ShardNode"] = ["KwaaiNet.Protocol", "KwaaiNet.CandelEngine", "KwaaiNet.ModelStore", "KwaaiNet.ServiceDefaults"],
        ["KwaaiNet.ApiNode"] = ["KwaaiNet.Protocol", "KwaaiNet.CandelEngine", "KwaaiNet.ServiceDefaults"],
        ["KwaaiNet.Cli"] = ["KwaaiNet.Protocol", "KwaaiNet.CandelEngine", "KwaaiNet.ModelStore"],
        // Projects it composes, not assemblies it loads: Aspire turns the references into resources.
        ["KwaaiNet.AppHost"] = [],
    };
}
