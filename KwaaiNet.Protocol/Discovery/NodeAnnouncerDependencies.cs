using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Transport;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;

namespace KwaaiNet.Protocol.Discovery;

/// <summary>What <see cref="NodeAnnouncer"/> needs, in one parameter that derived classes pass on. Registered by <c>AddNode</c>.</summary>
/// <param name="Identity">Who signs.</param>
/// <param name="Endpoints">Where the node listens.</param>
/// <param name="Options">Network, region, heartbeat and ttl.</param>
/// <param name="Time">The clock of heartbeats and sequences.</param>
/// <param name="LoggerFactory">Makes the announcer's logger.</param>
/// <param name="Directory">Whom to tell; null: nobody, records are only signed.</param>
public sealed record NodeAnnouncerDependencies(
    NodeIdentity Identity,
    NodeEndpoints Endpoints,
    IOptions<NodeOptions> Options,
    TimeProvider Time,
    ILoggerFactory LoggerFactory,
    INodeDirectory? Directory = null);
