using System.Globalization;
using System.Net;
using System.Net.Sockets;
using KwaaiNet.Cli.Processes;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>Puts shards far away: everything that is said to one, over gRPC and over links, takes half the round trip each way.</summary>
internal sealed class LongWay(TimeSpan roundTrip, TimeProvider time) : IAsyncDisposable
{
    private const string NoLinks = "-1";

    private readonly List<LatencyRelay> _relays = [];

    /// <summary>The shard, at ports of its own behind relays that it is announced at.</summary>
    public NodeLaunch Before(NodeLaunch shard)
    {
        // Free a moment ago: a measurement on one's own machine, not a network that has to come up.
        int grpc = FreePort();
        shard = shard.With(("Node:GrpcPort", Text(grpc)), ("Node:AdvertisedEndpoint", $"https://127.0.0.1:{Text(Relay(grpc))}"));
        if (shard.Settings.GetValueOrDefault("Node:LinkPort") == NoLinks) return shard;

        int link = FreePort();
        return shard.With(("Node:LinkPort", Text(link)), ("Node:AdvertisedLinkPort", Text(Relay(link))));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (LatencyRelay relay in _relays) await relay.DisposeAsync().ConfigureAwait(false);
    }

    private int Relay(int port)
    {
        LatencyRelay relay = new(port, roundTrip / 2, time);
        _relays.Add(relay);
        return relay.Port;
    }

    private static int FreePort()
    {
        using TcpListener probe = new(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
}
