using KwaaiNet.Discovery.Backends;
using KwaaiNet.Protocol.Discovery;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace KwaaiNet.Discovery.Hosting;

/// <summary>Whether the backend answers.</summary>
internal sealed class DirectoryHealthCheck(IDirectoryBackend backend) : IHealthCheck
{
    private static readonly TimeSpan s_limit = TimeSpan.FromSeconds(2);

    public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(s_limit);
        try
        {
            await backend.PingAsync(limit.Token).ConfigureAwait(false);
            return HealthCheckResult.Healthy(backend.Name);
        }
        catch (DirectoryUnavailableException error)
        {
            return HealthCheckResult.Unhealthy(error.Message);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"{backend.Name} does not answer within {s_limit.TotalSeconds:0} s.");
        }
    }
}
