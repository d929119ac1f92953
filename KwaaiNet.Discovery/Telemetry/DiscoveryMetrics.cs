using System.Diagnostics.Metrics;
using KwaaiNet.Protocol.Discovery;

namespace KwaaiNet.Discovery.Telemetry;

/// <summary>The discovery service's metrics; every name stands here and nowhere else.</summary>
internal sealed class DiscoveryMetrics
{
    /// <summary>The meter.</summary>
    public const string MeterName = "KwaaiNet.Discovery";

    /// <summary>Value of <see cref="KindTag"/>: a record was announced or renewed.</summary>
    public const string Announce = "announce";

    /// <summary>Value of <see cref="KindTag"/>: a record was withdrawn.</summary>
    public const string Withdraw = "withdraw";

    private const string AnnouncesName = "kwaainet.discovery.announces";
    private const string RefusedName = "kwaainet.discovery.refused";
    private const string LookupsName = "kwaainet.discovery.lookups";
    private const string LiveNodesName = "kwaainet.discovery.live_nodes";
    private const string KindTag = "kwaainet.discovery.kind";

    private readonly Counter<long> _announces;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _lookups;

    public DiscoveryMetrics(IMeterFactory meters, NodeDirectoryView view)
    {
        Meter meter = meters.Create(MeterName);
        _announces = meter.CreateCounter<long>(AnnouncesName, "{record}", "Records taken: announcements, heartbeats and withdrawals.");
        _refused = meter.CreateCounter<long>(RefusedName, "{record}", "Records refused: signature, bounds or sequence.");
        _lookups = meter.CreateCounter<long>(LookupsName, "{lookup}", "Lookups answered.");
        meter.CreateObservableGauge(LiveNodesName, () => view.Current.Records.Count, "{node}", "Nodes live now, of all networks.");
    }

    public void Announced(string kind) => _announces.Add(1, new KeyValuePair<string, object?>(KindTag, kind));

    public void Refused() => _refused.Add(1);

    public void LookedUp() => _lookups.Add(1);
}
