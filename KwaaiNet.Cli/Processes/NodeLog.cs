using System.Globalization;
using System.Text;

namespace KwaaiNet.Cli.Processes;

/// <summary>A node's log file: each line begins with the time it was written, so that the logs of several nodes merge into one.</summary>
/// <remarks><c>2026-11-22T18:04:05.123Z info: KwaaiNet.ShardNode[0] …</c>. A file that grows past its limit makes room by becoming <c>log.previous.txt</c>.</remarks>
internal sealed class NodeLog : IDisposable
{
    /// <summary>Width of the time at the start of a line.</summary>
    public const int TimeLength = 24;

    private const long MaximumBytes = 16L << 20;
    private readonly Lock _gate = new();
    private readonly TimeProvider _clock;
    private StreamWriter _writer;

    public NodeLog(string path, TimeProvider clock)
    {
        Path = path;
        _clock = clock;
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(path)!);
        _writer = Open();
    }

    public string Path { get; }

    public void Write(string line)
    {
        lock (_gate)
        {
            if (_writer.BaseStream.CanWrite)
            {
                _writer.Write(_clock.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z '", CultureInfo.InvariantCulture));
                _writer.WriteLine(line);
                if (_writer.BaseStream.Length > MaximumBytes)
                {
                    _writer.Dispose();
                    _writer = Open();
                }
            }
        }
    }

    public void Dispose()
    {
        lock (_gate)
        {
            _writer.Dispose();
        }
    }

    private StreamWriter Open()
    {
        if (File.Exists(Path) && new FileInfo(Path).Length > MaximumBytes)
        {
            File.Move(Path, System.IO.Path.ChangeExtension(Path, ".previous.txt"), overwrite: true);
        }

        FileStream stream = new(Path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
        return new StreamWriter(stream, new UTF8Encoding(false)) { AutoFlush = true };
    }
}
