using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Serving;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KwaaiNet.ShardNode.Hosting;

/// <summary>Healthy when blocks are loaded and the network knows: the moment from which work can arrive.</summary>
internal sealed class ShardHealthCheck(ShardServing serving, PullProgress pull) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        HeldBlocks held = serving.Held;
        HealthCheckResult result = held.State switch
        {
            _ when serving.DeviceFailure is { } failure => HealthCheckResult.Unhealthy($"The device failed: {failure}"),
            _ when serving.IsStuck => HealthCheckResult.Unhealthy($"The device hangs: blocks {held.Range} have not finished a batch for much longer than batches take."),
            ServingState.Ready when serving.IsAnnouncedReady => HealthCheckResult.Healthy($"Serving blocks {held.Range}."),
            ServingState.Ready => HealthCheckResult.Unhealthy($"Blocks {held.Range} are loaded; discovery has not heard of it yet."),
            ServingState.Joining when pull.Text is { } pulling => HealthCheckResult.Unhealthy($"Pulling blocks {held.Range}: {pulling}"),
            ServingState.Joining => HealthCheckResult.Unhealthy($"Loading blocks {held.Range}."),
            ServingState.Draining => HealthCheckResult.Unhealthy($"Leaving blocks {held.Range}."),
            _ when pull.Text is { } pulling => HealthCheckResult.Unhealthy($"Pulling the model's header: {pulling}"),
            _ => HealthCheckResult.Unhealthy("No blocks chosen yet."),
        };
        return Task.FromResult(result);
    }
}
