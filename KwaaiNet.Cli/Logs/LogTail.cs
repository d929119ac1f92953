using System.Text;

namespace KwaaiNet.Cli.Logs;

/// <summary>Reads a growing log: each call returns the whole lines that have come since the last.</summary>
/// <param name="node">Whose log it is.</param>
/// <param name="path">The file; it need not exist yet.</param>
internal sealed class LogTail(string node, string path)
{
    private readonly List<byte> _partial = [];
    private long _position;

    public IReadOnlyList<LogLine> ReadNew()
    {
        List<LogLine> lines = [];
        try
        {
            using FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            if (stream.Length < _position)
            {
                // A new file under the old name: the log was full, or the node's folder was cleared.
                _position = 0;
                _partial.Clear();
            }

            stream.Position = _position;
            byte[] buffer = new byte[64 * 1024];
            for (int read = stream.Read(buffer); read > 0; read = stream.Read(buffer))
            {
                _position += read;
                Split(buffer.AsSpan(0, read), lines);
            }
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // Not started yet.
        }

        return lines;
    }

    private void Split(ReadOnlySpan<byte> bytes, List<LogLine> lines)
    {
        for (int end = bytes.IndexOf((byte)'\n'); end >= 0; end = bytes.IndexOf((byte)'\n'))
        {
            _partial.AddRange(bytes[..end]);
            lines.Add(new LogLine(node, Encoding.UTF8.GetString([.. _partial]).TrimEnd('\r')));
            _partial.Clear();
            bytes = bytes[(end + 1)..];
        }

        _partial.AddRange(bytes);
    }
}
