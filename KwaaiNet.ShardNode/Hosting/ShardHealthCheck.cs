using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Serving;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KwaaiNet.ShardNode.Hosting;

/// <summary>Healthy when blocks are loaded and the network knows: the moment from which work can arrive.</summary>
internal sealed class ShardHealthCheck(ShardServing serving) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        ServedState state = serving.State;
        HealthCheckResult result = state.State switch
        {
            _ when serving.DeviceFailure is { } failure => HealthCheckResult.Unhealthy($"The device failed: {failure}"),
            ServingState.Ready when serving.IsAnnouncedReady => HealthCheckResult.Healthy($"Serving blocks {state.Range}."),
            ServingState.Ready => HealthCheckResult.Unhealthy($"Blocks {state.Range} are loaded; discovery has not heard of it yet."),
            ServingState.Joining when serving.Pulling is { } pulling => HealthCheckResult.Unhealthy($"Pulling blocks {state.Range}: {pulling}"),
            ServingState.Joining => HealthCheckResult.Unhealthy($"Loading blocks {state.Range}."),
            ServingState.Draining => HealthCheckResult.Unhealthy($"Leaving blocks {state.Range}."),
            _ when serving.Pulling is { } pulling => HealthCheckResult.Unhealthy($"Pulling the model's header: {pulling}"),
            _ => HealthCheckResult.Unhealthy("No blocks chosen yet."),
        };
        return Task.FromResult(result);
    }
}
