using System.ComponentModel.DataAnnotations;
using KwaaiNet.Protocol.Nodes;

namespace KwaaiNet.Protocol.Transport;

/// <summary>What every host needs to be a node: where it listens, who it is, whom it asks. Configuration section <c>Node</c>.</summary>
public sealed class NodeOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Node";

    /// <summary>Default for <see cref="Network"/>.</summary>
    public const string DefaultNetwork = "local";

    /// <summary>Default for <see cref="HeartbeatMilliseconds"/>: 5 s.</summary>
    public const int DefaultHeartbeatMilliseconds = 5_000;

    /// <summary>Default for <see cref="TtlMilliseconds"/>: 15 s.</summary>
    public const int DefaultTtlMilliseconds = 15_000;

    /// <summary><see cref="LinkPort"/> of a node that neither serves links nor calls over them.</summary>
    public const int NoLinks = -1;

    /// <summary>A name for people: <c>shard-1</c>. It appears in logs and the network map; nothing is keyed on it.</summary>
    [Required, StringLength(NodeRecordBounds.MaxName, MinimumLength = 1)]
    public string Name { get; set; } = "node";

    /// <summary>Networks do not mix: nodes of another network are not seen.</summary>
    [Required, StringLength(NodeRecordBounds.MaxName, MinimumLength = 1)]
    public string Network { get; set; } = DefaultNetwork;

    /// <summary>Folder of the node's own files: <c>identity.key</c>. Null: an identity that lives as long as the process.</summary>
    public string? Home { get; set; }

    /// <summary>Address to listen on; 127.0.0.1 unless the network spans machines. <c>0.0.0.0</c> and <c>::</c> listen everywhere. The HTTP port of 127.0.0.1 and 0.0.0.0 listens on [::1] as well.</summary>
    [Required]
    public string Host { get; set; } = "127.0.0.1";

    /// <summary>Port for gRPC with mutual TLS; 0 lets the system choose; null: this host serves no gRPC.</summary>
    [Range(0, 65535)]
    public int? GrpcPort { get; set; }

    /// <summary>Port for HTTP/1 and HTTP/2 without TLS (health, and what the host adds to it); 0 lets the system choose; null: none.</summary>
    [Range(0, 65535)]
    public int? HttpPort { get; set; }

    /// <summary>
    /// Port for links, which carry what nodes stream to one another with less work than HTTP/2 (docs/performance.md). 0, the default, lets the
    /// system choose; <see cref="NoLinks"/>: none, and others are spoken to over gRPC alone. Where a link cannot be had gRPC takes its place.
    /// </summary>
    [Range(NoLinks, 65535)]
    public int LinkPort { get; set; }

    /// <summary>
    /// The link port others reach this node at, on the host of its endpoint; null: the bound one, or none at all where <see cref="AdvertisedEndpoint"/>
    /// is set and <see cref="LinkPort"/> is the system's choice: what forwards one port does not forward another that nobody knew of.
    /// </summary>
    [Range(1, 65535)]
    public int? AdvertisedLinkPort { get; set; }

    /// <summary>The gRPC address others reach this node at, <c>https://host:port</c>; null: made from <see cref="Host"/> and the bound port.</summary>
    public string? AdvertisedEndpoint { get; set; }

    /// <summary>Where the node stands: free text such as <c>eu-west</c>.</summary>
    [StringLength(NodeRecordBounds.MaxName)]
    public string Region { get; set; } = "";

    /// <summary>The discovery service, <c>https://host:port</c>; null on the discovery service itself.</summary>
    public string? Discovery { get; set; }

    /// <summary>The discovery service's did:key; null: whoever answers at <see cref="Discovery"/>.</summary>
    public string? DiscoveryNodeId { get; set; }

    /// <summary>Time between two announcements, in milliseconds. Default 5,000.</summary>
    [Range(100, 600_000)]
    public int HeartbeatMilliseconds { get; set; } = DefaultHeartbeatMilliseconds;

    /// <summary>How long a record lives without renewal, in milliseconds; at least twice the heartbeat. Default 15,000.</summary>
    [Range(2 * (int)NodeRecordBounds.MinTtlMilliseconds, (int)NodeRecordBounds.MaxTtlMilliseconds)]
    public int TtlMilliseconds { get; set; } = DefaultTtlMilliseconds;

    /// <summary>Stop when the process with this id exits: a node that was started by a supervisor does not outlive it. Null: live on.</summary>
    [Range(1, int.MaxValue)]
    public int? ParentProcessId { get; set; }
}
