using System.ComponentModel;
using Microsoft.Extensions.Hosting;

namespace KwaaiNet.AppHost.Processes;

/// <summary>Freezes processes for a while. Every one of them goes on again: when its time is over, and when the AppHost stops.</summary>
internal sealed class FrozenProcesses : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<ShardProcess, ITimer> _frozen = [];
    private readonly TimeProvider _time;
    private readonly CancellationTokenRegistration _stopping;

    /// <summary>Nothing is frozen.</summary>
    public FrozenProcesses(TimeProvider time, IHostApplicationLifetime lifetime)
    {
        _time = time;
        // A process that stands still hears no request to stop: it goes on before the first one is sent.
        _stopping = lifetime.ApplicationStopping.Register(ThawAll);
    }

    /// <summary>Freezes a process.</summary>
    /// <param name="process">Which one.</param>
    /// <param name="duration">For how long.</param>
    /// <param name="thawed">Called when it goes on.</param>
    /// <returns>False: it is frozen already.</returns>
    /// <exception cref="Win32Exception">The system does not allow it, or the process is gone.</exception>
    public bool Freeze(ShardProcess process, TimeSpan duration, Action thawed)
    {
        lock (_lock)
        {
            if (_frozen.ContainsKey(process)) return false;

            ProcessFreezer.Freeze(process.Id);
            _frozen[process] = _time.CreateTimer(_ => OnTime(process, thawed), null, duration, Timeout.InfiniteTimeSpan);
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stopping.Dispose();
        ThawAll();
    }

    private void OnTime(ShardProcess process, Action thawed)
    {
        lock (_lock)
        {
            if (!Thaw(process)) return;
        }

        thawed();
    }

    private void ThawAll()
    {
        lock (_lock)
        {
            foreach (ShardProcess process in _frozen.Keys.ToArray()) Thaw(process);
        }
    }

    private bool Thaw(ShardProcess process)
    {
        if (!_frozen.Remove(process, out ITimer? timer)) return false;

        timer.Dispose();
        if (!process.IsRunning) return false;

        try
        {
            ProcessFreezer.Thaw(process.Id);
            return true;
        }
        catch (Win32Exception)
        {
            // Killed between the look and the word: there is nothing to let go on.
            return false;
        }
    }
}
