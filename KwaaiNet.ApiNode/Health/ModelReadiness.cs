using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Warming;

namespace KwaaiNet.ApiNode.Health;

/// <summary>Whether a configured model can be used now.</summary>
/// <param name="Id">The model.</param>
/// <param name="Missing">What it lacks, such as <c>BlocksMissing: blocks 3-5</c>; null when it can be used.</param>
internal sealed record ModelReadiness(string Id, string? Missing)
{
    private const string Warming = "its shards are being warmed up";

    /// <summary>Looks at every configured model: at its file here, at the shards for each of its blocks, and at whether they have been warmed.</summary>
    public static IEnumerable<ModelReadiness> Of(IChatModelCatalog catalog, ChainRouter router, ChainWarmUp warmUp) =>
        catalog.Models.Select(model => new ModelReadiness(
            model.Id, router.Plan(model).NoChain is { } why ? Describe(why) : warmUp.IsPending(model.Id) ? Warming : null))
            .Concat(catalog.Closed.Select(closed => new ModelReadiness(closed.Key, closed.Value)));

    private static string Describe(NoChain why)
    {
        string missing = why.Missing.Length > 0 ? $"{why.Reason}: blocks {string.Join(", ", why.Missing)}" : why.Reason.ToString();
        return why.Loading.Length > 0 ? $"{missing} (nodes are loading {string.Join(", ", why.Loading)})" : missing;
    }
}
