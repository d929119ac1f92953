using System.Text;

namespace KwaaiNet.Cli.Output;

/// <summary>Writes to a terminal, a pipe or a file that may be gone or full, and says how many writes were lost when it takes text again.</summary>
/// <param name="inner">Where it writes.</param>
internal sealed class TerminalWriter(TextWriter inner) : TextWriter
{
    private readonly Lock _gate = new();
    private long _lost;

    /// <summary>False: a failed write is an <see cref="IOException"/>. True: it is lost.</summary>
    public bool OutlivesReaders { get; set; }

    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => Write(new ReadOnlySpan<char>(in value));

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        lock (_gate)
        {
            try
            {
                if (_lost > 0)
                {
                    inner.WriteLine();
                    inner.WriteLine($"({_lost} {(_lost == 1 ? "write was" : "writes were")} lost here.)");
                    inner.Flush();
                    _lost = 0;
                }

                inner.Write(buffer);
            }
            catch (Exception exception) when (IsLost(exception))
            {
                _lost++;
            }
        }
    }

    public override void WriteLine() => Write(inner.NewLine);

    public override void WriteLine(string? value) => Write(value + inner.NewLine);

    public override void WriteLine(ReadOnlySpan<char> buffer) => WriteLine(buffer.ToString());

    public override void Flush()
    {
        lock (_gate)
        {
            try
            {
                inner.Flush();
            }
            catch (Exception exception) when (IsLost(exception))
            {
                _lost++;
            }
        }
    }

    private bool IsLost(Exception exception) => OutlivesReaders && (exception is IOException or UnauthorizedAccessException or ObjectDisposedException);
}
