using System.Net;
using System.Net.Sockets;

namespace KwaaiNet.ShardNode.Tests.Hosts;

/// <summary>Stands between two nodes, so that a test can cut the cable as a dying machine does.</summary>
internal sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Socket> _sockets = [];
    private readonly Uri _target;
    private readonly Task _running;
    private long _bytes;

    public TcpRelay(string endpoint)
    {
        _target = new Uri(endpoint);
        _listener.Start();
        _running = RunAsync();
    }

    public string Endpoint => $"https://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";

    /// <summary>Bytes that crossed, both ways.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>Resets every connection and takes no new ones.</summary>
    public void Cut()
    {
        _stop.Cancel();
        _listener.Stop();
        lock (_sockets)
        {
            foreach (Socket socket in _sockets)
            {
                socket.LingerState = new LingerOption(true, 0);
                socket.Dispose();
            }

            _sockets.Clear();
        }
    }

    public async ValueTask DisposeAsync()
    {
        Cut();
        await _running;
        _stop.Dispose();
    }

    private async Task RunAsync()
    {
        try
        {
            while (true)
            {
                Socket near = await _listener.AcceptSocketAsync(_stop.Token);
                Socket far = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                near.NoDelay = true;
                lock (_sockets) _sockets.AddRange([near, far]);
                await far.ConnectAsync(IPAddress.Loopback, _target.Port, _stop.Token);
                _ = PumpAsync(near, far);
                _ = PumpAsync(far, near);
            }
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut.
        }
    }

    private async Task PumpAsync(Socket from, Socket to)
    {
        byte[] buffer = new byte[16 * 1024];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token) is > 0 and int count)
            {
                Interlocked.Add(ref _bytes, count);
                await to.SendAsync(buffer.AsMemory(0, count), _stop.Token);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception over) when (over is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Cut, or one side has gone.
        }
    }
}
