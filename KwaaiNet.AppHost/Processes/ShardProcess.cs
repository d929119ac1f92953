using System.ComponentModel;
using System.Diagnostics;

namespace KwaaiNet.AppHost.Processes;

/// <summary>A process, known by its start as well: its number alone may be another's by the time somebody acts on it.</summary>
/// <param name="Id">The process id.</param>
/// <param name="Started">When it started.</param>
internal readonly record struct ShardProcess(int Id, DateTime Started)
{
    private static readonly TimeSpan s_endLimit = TimeSpan.FromSeconds(10);

    /// <summary>Whether it still runs, or stands still.</summary>
    public bool IsRunning => Find(Id) == this;

    /// <summary>The process that has this id now; null: none has.</summary>
    public static ShardProcess? Find(int id)
    {
        try
        {
            using Process process = Process.GetProcessById(id);
            return process.HasExited ? null : new ShardProcess(id, process.StartTime);
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException or Win32Exception)
        {
            return null;
        }
    }

    /// <summary>Ends it at once, without a word to it (SIGKILL), and waits until it is gone; false when it was gone already.</summary>
    /// <exception cref="Win32Exception">The system does not allow it.</exception>
    /// <exception cref="TimeoutException">It was told, and does not go.</exception>
    public async Task<bool> KillAsync(CancellationToken cancellationToken)
    {
        if (!IsRunning) return false;

        try
        {
            using Process process = Process.GetProcessById(Id);
            process.Kill();
            await process.WaitForExitAsync(cancellationToken).WaitAsync(s_endLimit, cancellationToken).ConfigureAwait(false);
            return true;
        }
        catch (Exception gone) when (gone is ArgumentException or InvalidOperationException)
        {
            return false;
        }
    }
}
