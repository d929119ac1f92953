using System.Net;
using System.Net.Sockets;
using KwaaiNet.Protocol.Links;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Forwarding;
using Microsoft.Extensions.Logging.Abstractions;

namespace KwaaiNet.ShardNode.Tests.Forwarding;

public sealed class HopStreamsTests
{
    private const int Kept = 16;

    [Fact]
    public async Task Of_too_many_unused_streams_the_one_left_longest_ago_is_closed_and_no_other()
    {
        // Takes connections and never says a word: the streams stay as they are, neither open nor lost.
        using TcpListener silent = new(IPAddress.Loopback, 0);
        silent.Start();
        string endpoint = $"https://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}";
        using NodeIdentity identity = NodeIdentity.Create();
        using NodeChannels channels = new(identity);
        await using HopStreams streams = new(new NodeLinks(channels, null, TimeProvider.System), new NoListener(), NullLogger.Instance);
        Hop[] hops = [.. Enumerable.Range(0, Kept + 1).Select(i => new Hop { NodeId = $"did:key:{i}", Endpoint = endpoint })];

        IHop[] first = [.. hops.Select(streams.Acquire)];
        // The second is left first.
        streams.Release(first[1]);
        for (int i = 0; i < hops.Length; i++)
        {
            if (i != 1) streams.Release(first[i]);
        }

        IHop[] again = [.. hops.Select(streams.Acquire)];
        Assert.Equal([1], Enumerable.Range(0, hops.Length).Where(i => !ReferenceEquals(first[i], again[i])));
    }

    private sealed class NoListener : IHopListener
    {
        public void OnLost(IHop hop, string reason)
        {
        }

        public void OnRefused(IHop hop, StepRefused refused)
        {
        }

        public void OnLeft(IHop hop, StepRefused answer)
        {
        }

        public void OnRoom()
        {
        }
    }
}
