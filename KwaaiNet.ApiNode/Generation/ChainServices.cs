using System.Security.Cryptography;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.ApiNode.Prefixes;
using KwaaiNet.ApiNode.Telemetry;
using KwaaiNet.ApiNode.Waiting;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Sessions;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>What every generation works with.</summary>
internal sealed class ChainServices(
    ChainRouter router,
    INodeSnapshot nodes,
    ShardLinks links,
    OwnSessions sessions,
    RoomLine line,
    PrefillsUnderway prefills,
    PageHolders holders,
    NodeIdentity identity,
    ApiTelemetry telemetry,
    TimeProvider time,
    IOptions<ApiOptions> options)
{
    // A signature that is never shown: the same after a restart, and known to nobody else.
    private readonly string _secret = Convert.ToHexStringLower(SHA256.HashData(identity.Sign("kwaainet-kv-pages-v1"u8)));

    /// <summary>Plans chains.</summary>
    public ChainRouter Router => router;

    /// <summary>What discovery says.</summary>
    public INodeSnapshot Nodes => nodes;

    /// <summary>The way to shards.</summary>
    public ShardLinks Links => links;

    /// <summary>Sessions under way from here.</summary>
    public OwnSessions Sessions => sessions;

    /// <summary>Requests that wait for room.</summary>
    public RoomLine Line => line;

    /// <summary>The pages of a new conversation. Without this node's secret nobody can tell from their names what was said.</summary>
    /// <param name="model">The model.</param>
    /// <param name="scope">Who may find the pages again.</param>
    public PromptPages NewPages(ChatModel model, string scope) => new(new PageHashChain(model.WeightsHash, $"{_secret} {scope}"), holders, prefills);

    /// <summary>This node's did:key.</summary>
    public string NodeId => identity.NodeId;

    /// <summary>Instruments.</summary>
    public ApiTelemetry Telemetry => telemetry;

    /// <summary>The clock.</summary>
    public TimeProvider Time => time;

    /// <summary>Limits.</summary>
    public ApiOptions Options => options.Value;
}
