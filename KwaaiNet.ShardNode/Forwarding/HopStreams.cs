using KwaaiNet.Protocol.Transport;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Forwarding;

/// <summary>The streams to other nodes, one a neighbour, shared by all sessions. Belongs to the step loop.</summary>
internal sealed class HopStreams(NodeChannels channels, IHopListener listener, ILogger logger) : IHopSource
{
    /// <summary>Streams kept although no session uses them.</summary>
    private const int MaxUnused = 16;

    private readonly Dictionary<(string NodeId, string Endpoint), HopStream> _streams = [];
    private long _left;

    /// <inheritdoc/>
    public IHop Acquire(Hop hop)
    {
        (string, string) key = (hop.NodeId, hop.Endpoint);
        if (!_streams.TryGetValue(key, out HopStream? stream) || stream.IsLost)
        {
            stream = new HopStream(hop, channels, listener, logger);
            _streams[key] = stream;
        }

        stream.Users++;
        return stream;
    }

    /// <inheritdoc/>
    public void Release(IHop hop)
    {
        HopStream released = (HopStream)hop;
        released.Users--;
        if (released.Users > 0) return;

        released.LeftAs = _left++;
        List<KeyValuePair<(string, string), HopStream>> unused = [.. _streams.Where(entry => entry.Value.Users == 0).OrderByDescending(entry => entry.Value.LeftAs)];
        int kept = 0;
        foreach ((var key, HopStream stream) in unused)
        {
            if (!stream.IsLost && kept++ < MaxUnused) continue;

            _streams.Remove(key);
            // Ends by itself; nothing of this loop waits for a network.
            _ = stream.DisposeAsync().AsTask();
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (HopStream stream in _streams.Values) await stream.DisposeAsync().ConfigureAwait(false);
        _streams.Clear();
    }
}
