using KwaaiNet.ApiNode.Planning;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KwaaiNet.ApiNode.Health;

/// <summary>Healthy while discovery answers.</summary>
internal sealed class DiscoveryHealthCheck(INodeSnapshot nodes) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) =>
        Task.FromResult(nodes.IsAvailable
            ? HealthCheckResult.Healthy()
            : HealthCheckResult.Unhealthy("The discovery service does not answer; check Node:Discovery."));
}
