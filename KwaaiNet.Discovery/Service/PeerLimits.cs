using System.Threading.RateLimiting;
using Grpc.Core;
using KwaaiNet.Discovery.Configuration;
using Microsoft.Extensions.Options;

namespace KwaaiNet.Discovery.Service;

/// <summary>How much one peer may ask for. A peer is its node id: making another one costs a handshake.</summary>
internal sealed class PeerLimits : IDisposable
{
    private const int BurstSeconds = 5;

    private readonly DiscoveryOptions _options;
    private readonly PartitionedRateLimiter<string> _calls;
    private int _watches;

    public PeerLimits(IOptions<DiscoveryOptions> options)
    {
        _options = options.Value;
        _calls = PartitionedRateLimiter.Create<string, string>(peer => RateLimitPartition.GetTokenBucketLimiter(peer, _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = _options.CallsPerSecond * BurstSeconds,
            TokensPerPeriod = _options.CallsPerSecond,
            ReplenishmentPeriod = TimeSpan.FromSeconds(1),
            QueueLimit = 0,
        }));
    }

    /// <summary>Counts a call.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many calls.</exception>
    public void Take(string peer)
    {
        using RateLimitLease lease = _calls.AttemptAcquire(peer);
        if (!lease.IsAcquired)
            throw new RpcException(new Status(StatusCode.ResourceExhausted, $"More than {_options.CallsPerSecond} calls a second (Discovery:CallsPerSecond)."));
    }

    /// <summary>Takes a place for a watch; disposing gives it back.</summary>
    /// <exception cref="RpcException">RESOURCE_EXHAUSTED: too many watches.</exception>
    public IDisposable TakeWatch()
    {
        if (Interlocked.Increment(ref _watches) <= _options.MaxWatchers)
            return new Place(this);
        Interlocked.Decrement(ref _watches);
        throw new RpcException(new Status(StatusCode.ResourceExhausted, $"{_options.MaxWatchers} watches are open already (Discovery:MaxWatchers)."));
    }

    public void Dispose() => _calls.Dispose();

    private sealed class Place(PeerLimits limits) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref limits._watches);
    }
}
