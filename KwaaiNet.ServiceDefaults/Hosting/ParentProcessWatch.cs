using System.ComponentModel;
using System.Diagnostics;
using KwaaiNet.Protocol.Transport;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>Stops the host when <see cref="NodeOptions.ParentProcessId"/> exits: no orphan outlives the program that started it, however that one ended.</summary>
/// <remarks>A system gives the number of a process that ended to another: who has it now is the parent only with the parent's time of start.</remarks>
internal sealed partial class ParentProcessWatch(
    IOptions<NodeOptions> options, TimeProvider time, IHostApplicationLifetime lifetime, ILogger<ParentProcessWatch> logger) : BackgroundService
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(500);

    // Some systems count a start from a clock that may be set.
    private static readonly TimeSpan s_tolerance = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.Value.ParentProcessId is not int id)
            return;
        using PeriodicTimer looks = new(s_look, time);
        try
        {
            (bool lives, DateTime? start) = Look(id);
            using Process own = Process.GetCurrentProcess();
            // Who started this process was there before it.
            bool isParent = lives && !(start > own.StartTime);
            while (isParent && await looks.WaitForNextTickAsync(stoppingToken).ConfigureAwait(false))
            {
                (lives, DateTime? now) = Look(id);
                isParent = lives && !((now - start)?.Duration() > s_tolerance);
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            return;
        }

        LogParentExited(id);
        lifetime.StopApplication();
    }

    // The start is null where this user may not ask for it.
    private static (bool Lives, DateTime? Start) Look(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            return (true, process.StartTime);
        }
        catch (Exception error) when (error is ArgumentException or InvalidOperationException)
        {
            return (false, null);
        }
        catch (Exception error) when (error is Win32Exception or NotSupportedException)
        {
            return (true, null);
        }
    }

    [LoggerMessage(LogLevel.Information, "The process that started this node ({ParentProcessId}) is gone: stopping.")]
    private partial void LogParentExited(int parentProcessId);
}
