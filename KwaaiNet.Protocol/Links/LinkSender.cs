using System.Net.Sockets;

namespace KwaaiNet.Protocol.Links;

/// <summary>Sends what was collected for a socket, and never waits: what the system does not take at once goes when it has room again.</summary>
/// <remarks>
/// What waits lies in pieces of <see cref="PieceBytes"/>, which are used again: nothing large is made for a large message, and one call of
/// the system is bounded. Safe for concurrent use: the lock is held for a copy, never for a system call.
/// </remarks>
internal sealed class LinkSender : IDisposable
{
    private const int PieceBytes = 32 * 1024;
    private const int MaxKeptPieces = 32;

    private readonly Socket _socket;
    private readonly SocketAsyncEventArgs _operation = new();
    private readonly Lock _gate = new();
    private readonly Queue<byte[]> _full = new();
    private readonly Stack<byte[]> _free = new();
    private byte[] _filling = new byte[PieceBytes];
    private byte[] _sending = [];
    private int _filled;
    private int _sent;
    private int _length;
    private long _waiting;
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
            lock (_gate) return _waiting;
        }
    }

    /// <summary>Adds bytes behind those that wait.</summary>
    public void Collect(ReadOnlySpan<byte> bytes)
    {
        lock (_gate)
        {
            if (_failed) return;
            _waiting += bytes.Length;
            while (true)
            {
                int some = Math.Min(bytes.Length, PieceBytes - _filled);
                bytes[..some].CopyTo(_filling.AsSpan(_filled));
                _filled += some;
                bytes = bytes[some..];
                if (bytes.IsEmpty) return;
                _full.Enqueue(_filling);
                Refill();
            }
        }
    }

    /// <summary>Sends what waits, unless somebody is sending: then it goes behind that.</summary>
    public void Send()
    {
        lock (_gate)
        {
            if (_isSending || _waiting == 0 || _failed) return;
            _isSending = true;
            TakePiece();
        }

        Continue();
    }

    /// <inheritdoc/>
    public void Dispose() => _operation.Dispose();

    // Under the lock.
    private void Refill()
    {
        _filling = _free.TryPop(out byte[]? piece) ? piece : GC.AllocateUninitializedArray<byte>(PieceBytes);
        _filled = 0;
    }

    // Under the lock: what came first.
    private void TakePiece()
    {
        _sent = 0;
        if (_full.TryDequeue(out byte[]? piece))
        {
            (_sending, _length) = (piece, PieceBytes);
            return;
        }

        (_sending, _length) = (_filling, _filled);
        Refill();
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

        long waiting;
        lock (_gate)
        {
            _sent += _operation.BytesTransferred;
            _waiting -= _operation.BytesTransferred;
            waiting = _waiting;
            if (_sent == _length)
            {
                if (_free.Count < MaxKeptPieces) _free.Push(_sending);
                _isSending = waiting > 0;
                if (_isSending) TakePiece();
            }
        }

        Left?.Invoke(waiting);
        return waiting > 0;
    }

    private void Fail(string reason)
    {
        lock (_gate)
        {
            if (_failed) return;
            _failed = true;
            _isSending = false;
            _waiting = 0;
            _full.Clear();
            _filled = 0;
        }

        Failed?.Invoke(reason);
    }
}
