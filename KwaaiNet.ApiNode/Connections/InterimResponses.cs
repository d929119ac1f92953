using System.Buffers;
using System.IO.Pipelines;

namespace KwaaiNet.ApiNode.Connections;

/// <summary>Sends <c>100 Continue</c> on a connection while a request is being worked on and nothing of its answer is written yet.</summary>
/// <remarks>Every HTTP/1.1 client skips interim responses. One that has gone cannot take them, and its system says so.</remarks>
internal sealed class InterimResponses
{
    private readonly Lock _lock = new();
    private PipeWriter? _output;

    private static ReadOnlySpan<byte> Continue => "HTTP/1.1 100 Continue\r\n\r\n"u8;

    /// <summary>A request has come whose answer has not begun.</summary>
    public void Allow(PipeWriter output)
    {
        lock (_lock)
        {
            _output = output;
        }
    }

    /// <summary>The answer begins: from now on the connection is its own.</summary>
    public void Forbid()
    {
        lock (_lock)
        {
            _output = null;
        }
    }

    /// <summary>Sends one, if it may be sent now.</summary>
    public void Send()
    {
        lock (_lock)
        {
            if (_output is { } output)
            {
                output.Write(Continue);
                // Some bytes into an empty pipe: it never waits, and whoever writes next need not either.
                _ = output.FlushAsync().AsTask();
            }
        }
    }
}
