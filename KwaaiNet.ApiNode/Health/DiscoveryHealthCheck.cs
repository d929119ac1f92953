using KwaaiNet.ApiNode.Planning;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KwaaiNet.ApiNode.Health;

/// <summary>Healthy while discovery can be relied on.</summary>
internal sealed class DiscoveryHealthCheck(INodeSnapshot nodes) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(nodes.Trouble is { } trouble
            ? HealthCheckResult.Unhealthy(trouble)
            : HealthCheckResult.Healthy());
}
