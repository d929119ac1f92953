using KwaaiNet.ApiNode.Failures;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.OpenAIJson;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ApiNode.Routes;

/// <summary><c>GET /v1/models</c> and <c>GET /v1/models/{id}</c>: the models a request sent now would reach.</summary>
internal static class ModelsRoute
{
    /// <summary>Maps the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapReadable("/v1/models", ListAsync);
        // Ids hold slashes and colons: everything behind the route is the id.
        routes.MapReadable("/v1/models/{**id}", GetAsync);
    }

    private static Task ListAsync(HttpContext context)
    {
        IChatModelCatalog catalog = context.RequestServices.GetRequiredService<IChatModelCatalog>();
        ChainRouter router = context.RequestServices.GetRequiredService<ChainRouter>();
        ModelList list = new([.. catalog.Models.Select(model => Describe(model, router.Plan(model))).OfType<ModelEntry>()]);
        return context.Response.WriteAsJsonAsync(list, ApiJsonContext.Unescaped.ModelList, cancellationToken: context.RequestAborted);
    }

    private static Task GetAsync(HttpContext context)
    {
        // The server decodes the path except for %2F, which might have been meant as a part of the id: here it always is.
        string id = ((string?)context.Request.RouteValues["id"] ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase).TrimEnd('/');
        IChatModelCatalog catalog = context.RequestServices.GetRequiredService<IChatModelCatalog>();
        ChainRouter router = context.RequestServices.GetRequiredService<ChainRouter>();
        ModelEntry entry = (catalog.Find(id) is { } model ? Describe(model, router.Plan(model)) : null)
            ?? throw new UnknownModelException(id);
        return context.Response.WriteAsJsonAsync(entry, ApiJsonContext.Unescaped.ModelEntry, cancellationToken: context.RequestAborted);
    }

    private static ModelEntry? Describe(ChatModel model, ChainPlan plan)
    {
        if (!plan.Found)
        {
            return null;
        }

        IReadOnlyList<(BlockRange Blocks, int Nodes)> coverage = BlockCoverage.Count(model.BlockCount, plan.Held);
        return new ModelEntry(
            model.Id, "model", model.Created.ToUnixTimeSeconds(), "local",
            new ModelKwaaiNet(
                plan.Chain.Hops.Length > 1, plan.Chain.Tier.ToString(), plan.Chain.Hops.Length, model.BlockCount, model.ContextLength, model.WeightFormat, model.WeightsHash,
                coverage.Min(range => range.Nodes), [.. coverage.Select(range => new ModelCoverage(range.Blocks.First, range.Blocks.End, range.Nodes))])
            {
                Sampling = Describe(model.RecommendedSampling),
            });
    }

    private static ModelSampling? Describe(RecommendedSampling recommended) => recommended.IsEmpty
        ? null
        : new ModelSampling(
            recommended.Temperature, recommended.TopK, recommended.TopP, recommended.MinP, recommended.TypicalP, recommended.RepetitionPenalty, recommended.RepeatLastN);
}
