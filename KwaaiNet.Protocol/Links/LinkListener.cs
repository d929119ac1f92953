using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using KwaaiNet.Protocol.Transport;

namespace KwaaiNet.Protocol.Links;

/// <summary>Takes links in: one thread each, at most <see cref="MaxLinks"/>.</summary>
public sealed class LinkListener : IAsyncDisposable
{
    /// <summary>Connections at once; further ones are closed at the door.</summary>
    public const int MaxLinks = 1024;

    private static readonly TimeSpan s_handshakeTimeout = TimeSpan.FromSeconds(10);
    private readonly TcpListener _listener;
    private readonly LinkServices _services;
    private readonly X509Certificate2 _certificate;
    private readonly TimeProvider _time;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private int _links;

    /// <summary>Listens from now on.</summary>
    /// <param name="address">Where.</param>
    /// <param name="port">0: the system chooses.</param>
    /// <param name="services">What may be called.</param>
    /// <param name="certificate">This node's, made by <see cref="NodeCertificate.Create"/>; kept by the caller.</param>
    /// <param name="time">The clock of certificates and signs of life.</param>
    /// <exception cref="SocketException">The port is taken.</exception>
    public LinkListener(IPAddress address, int port, LinkServices services, X509Certificate2 certificate, TimeProvider time)
    {
        _services = services;
        _certificate = certificate;
        _time = time;
        _listener = new TcpListener(address, port);
        _listener.Start();
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port;
        _accepting = AcceptAsync();
    }

    /// <summary>The port.</summary>
    public int Port { get; }

    /// <summary>Takes no more links and tells the calls that run; they end by themselves.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync().ConfigureAwait(false);
        _listener.Dispose();
        await _accepting.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task AcceptAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (!_stop.IsCancellationRequested)
        {
            Socket socket;
            try
            {
                socket = await _listener.AcceptSocketAsync(_stop.Token).ConfigureAwait(false);
            }
            catch (Exception error) when (error is SocketException or ObjectDisposedException or OperationCanceledException)
            {
                if (_stop.IsCancellationRequested) return;
                // A caller that left while it stood in line; the next one may be well. Out of descriptors: not at full speed.
                await Task.Delay(TimeSpan.FromMilliseconds(20), _time, CancellationToken.None).ConfigureAwait(false);
                continue;
            }

            if (Interlocked.Increment(ref _links) > MaxLinks)
            {
                Interlocked.Decrement(ref _links);
                socket.Dispose();
                continue;
            }

            _ = ShakeHandsAsync(socket);
        }
    }

    private async Task ShakeHandsAsync(Socket socket)
    {
        try
        {
            using CancellationTokenSource limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
            limit.CancelAfter(s_handshakeTimeout);
            LinkConnection link = await LinkConnection.AcceptAsync(
                socket, NodeTls.Server(_certificate, _time), NodeChannels.MaxMessageBytes, _time, limit.Token).ConfigureAwait(false);
            if (!NodeCertificate.TryGetNodeId(link.PeerCertificate, _time.GetUtcNow(), out string? nodeId, out _))
            {
                link.Dispose();
                Interlocked.Decrement(ref _links);
                return;
            }

            new Thread(() => Serve(link, nodeId)) { IsBackground = true, Name = "kwaainet-link" }.Start();
        }
        catch (Exception error) when (error is IOException or AuthenticationException or OperationCanceledException or SocketException or ObjectDisposedException or NotSupportedException or InvalidOperationException)
        {
            // A stranger, or one that left: nothing to serve and nothing to say.
            socket.Dispose();
            Interlocked.Decrement(ref _links);
        }
    }

    private void Serve(LinkConnection link, string nodeId)
    {
        try
        {
            _services.Serve(link, nodeId, CancellationToken.None);
        }
        finally
        {
            Interlocked.Decrement(ref _links);
        }
    }
}
