using System.Diagnostics;
using KwaaiNet.Protocol.Transport;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>Stops the host when <see cref="NodeOptions.ParentProcessId"/> exits: no orphan outlives the program that started it, however that one ended.</summary>
internal sealed partial class ParentProcessWatch(
    IOptions<NodeOptions> options, IHostApplicationLifetime lifetime, ILogger<ParentProcessWatch> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.ParentProcessId is not int id)
            return;
        try
        {
            using Process parent = Process.GetProcessById(id);
            await parent.WaitForExitAsync(stoppingToken).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return;
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            // Gone before we looked.
        }

        LogParentExited(id);
        lifetime.StopApplication();
    }

    [LoggerMessage(LogLevel.Information, "The process that started this node ({ParentProcessId}) is gone: stopping.")]
    private partial void LogParentExited(int parentProcessId);
}
