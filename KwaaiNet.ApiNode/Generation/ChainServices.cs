using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Telemetry;
using KwaaiNet.Protocol.Nodes;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>What every generation works with.</summary>
internal sealed class ChainServices(
    ChainRouter router, INodeSnapshot nodes, ShardLinks links, NodeIdentity identity, ApiTelemetry telemetry, TimeProvider time, IOptions<ApiOptions> options)
{
    /// <summary>Plans chains.</summary>
    public ChainRouter Router => router;

    /// <summary>What discovery says.</summary>
    public INodeSnapshot Nodes => nodes;

    /// <summary>The way to shards.</summary>
    public ShardLinks Links => links;

    /// <summary>This node's did:key.</summary>
    public string NodeId => identity.NodeId;

    /// <summary>Instruments.</summary>
    public ApiTelemetry Telemetry => telemetry;

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Limits.</summary>
    public ApiOptions Options => options.Value;
}
