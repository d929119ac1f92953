using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>Stands before a port of this machine and keeps every byte for a while, as a long way would. Bandwidth is not limited.</summary>
internal sealed class LatencyRelay : IAsyncDisposable
{
    private const int ReadBytes = 64 * 1024;

    // What is on its way: a sender that is faster than its receiver is held back here, as by a window of this size.
    private const int MaxOnTheWay = 1024;

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly int _target;
    private readonly TimeSpan _delay;
    private readonly TimeProvider _time;
    private readonly Task _accepting;

    /// <summary>Listens from now on.</summary>
    /// <param name="target">The port before which it stands, on the loopback.</param>
    /// <param name="delay">Of each direction.</param>
    /// <param name="time">The clock.</param>
    public LatencyRelay(int target, TimeSpan delay, TimeProvider time)
    {
        _target = target;
        _delay = delay;
        _time = time;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Ends every connection.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> connections = [];
        try
        {
            while (true) connections.Add(RunAsync(await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false)));
        }
        finally
        {
            await Task.WhenAll(connections).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task RunAsync(Socket near)
    {
        using Socket far = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using Socket disposed = near;
        near.NoDelay = true;
        await far.ConnectAsync(IPAddress.Loopback, _target, _stop.Token).ConfigureAwait(false);
        await Task.WhenAll(CarryAsync(near, far), CarryAsync(far, near)).ConfigureAwait(false);
    }

    // Each direction ends by itself, as TCP's do.
    private async Task CarryAsync(Socket from, Socket to)
    {
        Channel<(byte[] Bytes, long Arrived)> way = Channel.CreateBounded<(byte[], long)>(MaxOnTheWay);
        Task delivering = DeliverAsync(way.Reader, to);
        byte[] buffer = new byte[ReadBytes];
        try
        {
            while (await from.ReceiveAsync(buffer, _stop.Token).ConfigureAwait(false) is > 0 and int read)
                await way.Writer.WriteAsync((buffer[..read], _time.GetTimestamp()), _stop.Token).ConfigureAwait(false);
        }
        catch (SocketException)
        {
            // Reset: the other side hears of an end.
        }
        finally
        {
            way.Writer.Complete();
        }

        await delivering.ConfigureAwait(false);
    }

    private async Task DeliverAsync(ChannelReader<(byte[] Bytes, long Arrived)> way, Socket to)
    {
        try
        {
            await foreach ((byte[] bytes, long arrived) in way.ReadAllAsync(_stop.Token).ConfigureAwait(false))
            {
                TimeSpan left = _delay - _time.GetElapsedTime(arrived);
                if (left > TimeSpan.Zero) await Task.Delay(left, _time, _stop.Token).ConfigureAwait(false);
                for (int sent = 0; sent < bytes.Length;) sent += await to.SendAsync(bytes.AsMemory(sent), _stop.Token).ConfigureAwait(false);
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (SocketException)
        {
            // The receiver has gone; whoever sends finds out by its own end of the connection.
        }
    }
}
