using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Warming;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KwaaiNet.ApiNode.Health;

/// <summary>Healthy while every block of every configured model is served: a request for any of them finds a chain.</summary>
internal sealed class ModelsHealthCheck(IChatModelCatalog catalog, ChainRouter router, ChainWarmUp warmUp) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        string missing = string.Join("; ", ModelReadiness.Of(catalog, router, warmUp).Where(model => model.Missing is not null).Select(model => $"{model.Id}: {model.Missing}"));
        return Task.FromResult(missing.Length > 0 ? HealthCheckResult.Unhealthy(missing) : HealthCheckResult.Healthy());
    }
}
