using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.OpenAIJson;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ServiceDefaults;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KwaaiNet.ApiNode.Routes;

/// <summary><c>/health</c>: the host runs and discovery answers, with every model's readiness. <c>/alive</c>: the process runs.</summary>
internal static class HealthRoute
{
    /// <summary>Maps the routes.</summary>
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapHealthChecks(ServiceDefaultsExtensions.HealthPath, new HealthCheckOptions { ResponseWriter = WriteAsync });
        routes.MapHealthChecks(
            ServiceDefaultsExtensions.AlivePath, new HealthCheckOptions { Predicate = check => check.Tags.Contains(ServiceDefaultsExtensions.LiveTag) });
    }

    private static Task WriteAsync(HttpContext context, HealthReport report)
    {
        INodeSnapshot nodes = context.RequestServices.GetRequiredService<INodeSnapshot>();
        IChatModelCatalog catalog = context.RequestServices.GetRequiredService<IChatModelCatalog>();
        ChainRouter router = context.RequestServices.GetRequiredService<ChainRouter>();
        HealthReply reply = new(
            report.Status.ToString(), nodes.IsAvailable, nodes.Records.Count,
            [.. catalog.Models.Select(model => Describe(model, router.Plan(model, positions: 1)))]);
        return context.Response.WriteAsJsonAsync(reply, ApiJsonContext.Unescaped.HealthReply, cancellationToken: context.RequestAborted);
    }

    private static HealthModel Describe(ChatModel model, ChainPlan plan) =>
        new(model.Id, plan.Found, plan.Found ? null : $"{plan.NoChain.Reason}: blocks {string.Join(", ", plan.NoChain.Missing)}");
}
