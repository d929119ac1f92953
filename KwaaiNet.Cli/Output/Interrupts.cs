using System.Runtime.InteropServices;

namespace KwaaiNet.Cli.Output;

/// <summary>Ctrl-C, SIGTERM and their Windows kin as cancellation: the process ends when its command does, not before.</summary>
internal sealed class Interrupts : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    // Windows waits for five seconds.
    private static readonly TimeSpan s_windowsPatience = TimeSpan.FromSeconds(4.5);
    private readonly ManualResetEventSlim _done = new();
    private readonly CancellationTokenSource _first = new();
    private readonly CancellationTokenSource _second = new();
    private Func<bool>? _intercept;

    public Interrupts()
    {
        // SIGHUP: the terminal was closed, also a console window.
        foreach (PosixSignal signal in new[] { PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGQUIT, PosixSignal.SIGHUP })
        {
            _registrations.Add(PosixSignalRegistration.Create(signal, OnSignal));
        }
    }

    /// <summary>Cancelled at the first signal: finish in order.</summary>
    public CancellationToken Stop => _first.Token;

    /// <summary>Cancelled at the second signal: the user does not want to wait.</summary>
    public CancellationToken StopNow => _second.Token;

    /// <summary>Lets a command take Ctrl-C for itself while it has something smaller to stop than the process; it returns false when it has not.</summary>
    public void Intercept(Func<bool>? handler) => _intercept = handler;

    public void Dispose()
    {
        _done.Set();
        _registrations.ForEach(registration => registration.Dispose());
        _first.Dispose();
        _second.Dispose();
    }

    private void OnSignal(PosixSignalContext context)
    {
        context.Cancel = true;
        if (context.Signal == PosixSignal.SIGINT && _intercept?.Invoke() == true)
        {
            return;
        }

        if (_first.IsCancellationRequested)
        {
            // A terminal that closes may say so twice, once from the system and once from its shell; that is no impatience.
            if (context.Signal != PosixSignal.SIGHUP)
            {
                _second.Cancel();
            }
        }
        else
        {
            _first.Cancel();
        }

        if (OperatingSystem.IsWindows() && context.Signal is PosixSignal.SIGHUP or PosixSignal.SIGTERM)
        {
            // Windows ends the process as soon as it knows that a closed console, or a shutdown, has been heard: not before our end, then.
            _done.Wait(s_windowsPatience);
        }
    }
}
