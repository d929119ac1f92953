using System.Threading.Channels;

namespace KwaaiNet.Cli.Logs;

/// <summary>Says when log files have changed: from the system's notifications, and from a slow clock where those are not to be had (network drives).</summary>
internal sealed class LogChanges : IDisposable
{
    private static readonly TimeSpan s_period = TimeSpan.FromSeconds(1);

    // One unread note is enough: a reader reads everything that is new.
    private readonly Channel<bool> _notes = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
    private readonly FileSystemWatcher _watcher;
    private readonly ITimer _timer;

    public LogChanges(string folder, TimeProvider clock)
    {
        _watcher = new FileSystemWatcher(folder, "log.txt")
        {
            IncludeSubdirectories = true,
            NotifyFilter = NotifyFilters.LastWrite | NotifyFilters.Size | NotifyFilters.FileName | NotifyFilters.DirectoryName,
        };
        _watcher.Changed += (_, _) => Note();
        _watcher.Created += (_, _) => Note();
        _watcher.EnableRaisingEvents = true;
        _timer = clock.CreateTimer(_ => Note(), null, s_period, s_period);
    }

    public async Task WaitAsync(CancellationToken cancellationToken) => await _notes.Reader.ReadAsync(cancellationToken).ConfigureAwait(false);

    public void Dispose()
    {
        _watcher.Dispose();
        _timer.Dispose();
    }

    private void Note() => _notes.Writer.TryWrite(true);
}
