using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;

namespace KwaaiNet.ServiceDefaults.Hosting;

/// <summary>Where the HTTP port listens: <c>localhost</c> may mean 127.0.0.1 or [::1], and a client tries whichever it likes.</summary>
/// <remarks>Where IPv6 does not exist, IPv4 alone. A port that the system chooses is bound here, on both at once, and handed to Kestrel.</remarks>
internal sealed class LoopbackPorts : IDisposable
{
    // Another program may have the port that the system chose for one of the two on the other.
    private const int Attempts = 32;
    private const int Backlog = 512;

    private static readonly Lazy<bool> s_hasIPv6 = new(CanBindIPv6);
    private readonly ConcurrentDictionary<EndPoint, Socket> _bound = new();

    /// <summary>The addresses of the HTTP port.</summary>
    /// <param name="address">What <c>Node:Host</c> says.</param>
    /// <param name="port">What <c>Node:HttpPort</c> says; 0: the system chooses.</param>
    public IReadOnlyList<IPEndPoint> EndPoints(IPAddress address, int port)
    {
        // 0.0.0.0 is every address of IPv4: this machine is reached by its own name all the same.
        if (!(address.Equals(IPAddress.Loopback) || address.Equals(IPAddress.Any)) || !s_hasIPv6.Value)
            return [new IPEndPoint(address, port)];
        return port != 0 ? [new IPEndPoint(address, port), new IPEndPoint(IPAddress.IPv6Loopback, port)] : BindBoth(address);
    }

    /// <summary>The socket of an address: the one bound before, or a new one.</summary>
    public Socket Take(EndPoint endpoint) =>
        _bound.TryRemove(endpoint, out Socket? socket) ? socket : SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);

    public void Dispose()
    {
        foreach (Socket socket in _bound.Values)
            socket.Dispose();
        _bound.Clear();
    }

    private IPEndPoint[] BindBoth(IPAddress address)
    {
        for (int attempt = 0; attempt < Attempts; attempt++)
        {
            Socket first = Listen(new IPEndPoint(address, 0));
            int port = ((IPEndPoint)first.LocalEndPoint!).Port;
            IPEndPoint[] both = [new(address, port), new(IPAddress.IPv6Loopback, port)];
            try
            {
                _bound[both[1]] = Listen(both[1]);
                _bound[both[0]] = first;
                return both;
            }
            catch (SocketException error) when (error.SocketErrorCode is SocketError.AddressAlreadyInUse or SocketError.AccessDenied)
            {
                first.Dispose();
            }
        }

        return [new IPEndPoint(address, 0)];
    }

    // Bound is not yet taken: until it listens, another program that shares addresses may bind it too.
    private static Socket Listen(IPEndPoint endpoint)
    {
        Socket socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endpoint);
        try
        {
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }
    }

    private static bool CanBindIPv6()
    {
        if (!Socket.OSSupportsIPv6)
            return false;
        try
        {
            using Socket probe = new(AddressFamily.InterNetworkV6, SocketType.Stream, ProtocolType.Tcp);
            probe.Bind(new IPEndPoint(IPAddress.IPv6Loopback, 0));
            return true;
        }
        catch (SocketException)
        {
            // The system knows IPv6 and has it switched off.
            return false;
        }
    }
}
