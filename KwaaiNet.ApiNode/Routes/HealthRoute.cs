using KwaaiNet.ApiNode.Health;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.OpenAIJson;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Warming;
using KwaaiNet.ServiceDefaults;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KwaaiNet.ApiNode.Routes;

/// <summary><c>/health</c>: discovery can be relied on and every configured model is served, else 503; the body says what is missing. <c>/alive</c>: the process runs.</summary>
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
        ChainWarmUp warmUp = context.RequestServices.GetRequiredService<ChainWarmUp>();
        string? trouble = nodes.Trouble;
        HealthReply reply = new(
            report.Status.ToString(), trouble is null, trouble, nodes.Records.Count,
            [.. ModelReadiness.Of(catalog, router, warmUp).Select(model => new HealthModel(model.Id, model.Missing is null, model.Missing))]);
        return context.Response.WriteAsJsonAsync(reply, ApiJsonContext.Unescaped.HealthReply, cancellationToken: context.RequestAborted);
    }
}
