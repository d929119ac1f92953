using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>Makes gRPC clients to shards.</summary>
internal interface IShardDialer
{
    /// <summary>A client of the node; nothing is sent before its first call.</summary>
    /// <exception cref="ArgumentException">The endpoint is no <c>https</c> address.</exception>
    Shard.ShardClient Dial(string nodeId, string endpoint);
}
