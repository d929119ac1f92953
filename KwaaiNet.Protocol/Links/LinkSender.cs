using System.Net.Sockets;

namespace KwaaiNet.Protocol.Links;

/// <summary>Sends what was collected for a socket, and never waits: what the system does not take at once goes when it has room again.</summary>
/// <remarks>
/// One buffer is filled while the other is being sent. Safe for concurrent use: the lock is held for a copy, never for a system call.
/// </remarks>
internal sealed class LinkSender : IDisposable
{
    /// <summary>Buffers beyond this size are not kept.</summary>
    private const int MaxKeptBytes = 1 << 20;

    private readonly Socket _socket;
    private readonly SocketAsyncEventArgs _operation = new();
    private readonly Lock _gate = new();
    private byte[] _filling = new byte[16 * 1024];
    private byte[] _sending = new byte[16 * 1024];
    private int _filled;
    private int _sent;
    private int _length;
    private bool _isSending;
    private bool _failed;

    /// <summary>Of a connected socket.</summary>
    public LinkSender(Socket socket)
    {
        _socket = socket;
        _operation.Completed += (_, _) =>
        {
            if (Took()) Continue();
        };
    }

    /// <summary>Told when bytes have left and how many wait still.</summary>
    public Action<long>? Left { get; set; }

    /// <summary>Told once, when the socket takes nothing any more.</summary>
    public Action<string>? Failed { get; set; }

    /// <summary>Bytes that the system has not taken yet.</summary>
    public long Waiting
    {
        get
        {
            lock (_gate) return _filled + (_isSending ? _length - _sent : 0);
        }
    }

    /// <summary>Adds bytes behind those that wait.</summary>
    public void Collect(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_failed) return;
            if (_filling.Length - _filled < bytes.Length)
            {
                byte[] larger = GC.AllocateUninitializedArray<byte>(Math.Max(_filling.Length * 2, _filled + bytes.Length));
                _filling.AsSpan(0, _filled).CopyTo(larger);
                _filling = larger;
            }

            bytes.CopyTo(_filling.AsSpan(_filled));
            _filled += bytes.Length;
        }
    }

    /// <summary>Sends what waits, unless somebody is sending: then it goes behind that.</summary>
    public void Send()
    {
        if (Begin()) Continue();
    }

    /// <inheritdoc/>
    public void Dispose() => _operation.Dispose();

    private bool Begin()
    {
        lock (_gate)
        {
            if (_isSending || _filled == 0 || _failed) return false;
            (_sending, _filling) = (_filling, _sending);
            if (_filling.Length > MaxKeptBytes) _filling = new byte[16 * 1024];
            _length = _filled;
            _sent = 0;
            _filled = 0;
            _isSending = true;
            return true;
        }
    }

    private void Continue()
    {
        try
        {
            do
            {
                _operation.SetBuffer(_sending, _sent, _length - _sent);
                // Tries at once; only what finds no room is left to the runtime's poller.
                if (_socket.SendAsync(_operation)) return;
            }
            while (Took());
        }
        catch (Exception error) when (error is SocketException or ObjectDisposedException or InvalidOperationException)
        {
            Fail(error.Message);
        }
    }

    // Whether there is more to send.
    private bool Took()
    {
        if (_operation.SocketError != SocketError.Success || _operation.BytesTransferred == 0)
        {
            Fail(new SocketException((int)_operation.SocketError).Message);
            return false;
        }

        bool more;
        long waiting;
        lock (_gate)
        {
            _sent += _operation.BytesTransferred;
            if (_sent < _length) return true;
            _isSending = false;
            waiting = _filled;
        }

        more = waiting > 0 && Begin();
        Left?.Invoke(waiting);
        return more;
    }

    private void Fail(string reason)
    {
        lock (_gate)
        {
            if (_failed) return;
            _failed = true;
            _isSending = false;
            _filled = 0;
        }

        Failed?.Invoke(reason);
    }
}
