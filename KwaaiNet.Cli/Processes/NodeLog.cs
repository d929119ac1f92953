using System.Globalization;
using System.Text;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Processes;

/// <summary>A node's log file: each line begins with the time it was written, so that the logs of several nodes merge into one.</summary>
/// <remarks>
/// <c>2026-11-22T18:04:05.123Z info: KwaaiNet.ShardNode[0] …</c>. A file that grows past its limit makes room by becoming <c>log.previous.txt</c>.
/// Writing never fails: on a full disk lines are lost, and the first one that finds room again is preceded by how many.
/// A node whose output nobody reads would stand still at its next word.
/// </remarks>
internal sealed class NodeLog : IDisposable
{
    /// <summary>Width of the time at the start of a line.</summary>
    public const int TimeLength = 24;

    private const long MaximumBytes = 16L << 20;
    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private readonly Func<string, Stream> _open;
    private Stream? _file;
    private bool _disposed;
    private long _lost;
    private string _reason = "";

    /// <param name="path">The file; it is made with the first line.</param>
    /// <param name="clock">What time it is.</param>
    /// <param name="open">Opens the file for writing at its end; null: from the disk.</param>
    public NodeLog(string path, TimeProvider clock, Func<string, Stream>? open = null)
    {
        Path = path;
        _clock = clock;
        _open = open ?? OpenFile;
    }

    public string Path { get; }

    public void Write(string line)
    {
        lock (_gate)
        {
            if (_disposed)
            {
                return;
            }

            string time = _clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z '", CultureInfo.InvariantCulture);
            try
            {
                if (_lost > 0)
                {
                    string lines = _lost == 1 ? "1 line was" : $"{_lost} lines were";
                    Append($"{time}warn: {KwaaiNetHome.SupervisorName}: {lines} lost here: {_reason}{Environment.NewLine}");
                    _lost = 0;
                }

                Append(time + line + Environment.NewLine);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
            {
                _lost++;
                _reason = exception.Message;
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            Close();
        }
    }

    // A line in one write, without a buffer behind it: what could not be written is lost whole and never tried again in the middle of another.
    private void Append(string text)
    {
        Stream file = _file ??= _open(Path);
        long start = file.Position;
        try
        {
            file.Write(Encoding.UTF8.GetBytes(text));
            file.Flush();
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            TakeBack(file, start);
            throw;
        }

        if (file.Length > MaximumBytes)
        {
            Close();
        }
    }

    private void TakeBack(Stream file, long start)
    {
        try
        {
            file.SetLength(start);
            file.Position = start;
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or NotSupportedException)
        {
            // The disk is gone, not only full: the next line opens the file anew, if it can.
            Close();
        }
    }

    private void Close()
    {
        try
        {
            _file?.Dispose();
        }
        catch (IOException)
        {
            // Nothing of ours is left in it that could still be written.
        }

        _file = null;
    }

    private static FileStream OpenFile(string path)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        if (File.Exists(path) && new FileInfo(path).Length > MaximumBytes)
        {
            File.Move(path, System.IO.Path.ChangeExtension(path, ".previous.txt"), overwrite: true);
        }

        return new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
    }
}
