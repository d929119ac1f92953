using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace KwaaiNet.ShardNode.Telemetry;

/// <summary>Every name this room measures or traces under, and the instruments themselves.</summary>
internal sealed class ShardTelemetry : IDisposable
{
    /// <summary>Name of the activity source and of the meter.</summary>
    public const string Name = "KwaaiNet.Shard";

    /// <summary>Spans: one each for a session and hop.</summary>
    internal static class Spans
    {
        public const string Prefill = "shard.prefill";
        public const string Decode = "shard.decode";
    }

    /// <summary>Attributes of spans.</summary>
    internal static class Attributes
    {
        public const string Session = "kwaainet.session.id";
        public const string Blocks = "kwaainet.blocks";
        public const string Model = "gen_ai.request.model";
        public const string Steps = "kwaainet.steps";
        public const string Rows = "kwaainet.rows";
        public const string Failure = "error.type";
    }

    private readonly Meter _meter;

    public ShardTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        BatchSteps = _meter.CreateHistogram<int>("kwaainet.shard.batch.steps", "{step}", "Steps of different sessions that ran as one batch.");
        BatchRows = _meter.CreateHistogram<int>("kwaainet.shard.batch.rows", "{row}", "Positions that ran as one batch.");
        Rows = _meter.CreateCounter<long>("kwaainet.shard.rows", "{row}", "Positions computed.");
        KvReused = _meter.CreateCounter<long>("kwaainet.shard.kv.reused", "{position}", "Positions that sessions began with, found instead of computed.");
        StepDuration = _meter.CreateHistogram<double>("kwaainet.shard.step.duration", "s", "Time one batch took in the blocks held here.");
        HopBytes = _meter.CreateCounter<long>("kwaainet.shard.hop.bytes", "By", "Payload bytes sent to other shards.");
        RefusedSteps = _meter.CreateCounter<long>("kwaainet.shard.steps.refused", "{step}", "Steps that came and did not fit.");
        FailedSessions = _meter.CreateCounter<long>("kwaainet.shard.sessions.failed", "{session}", "Sessions that failed here.");
    }

    /// <summary>Source of the spans.</summary>
    public ActivitySource Source { get; } = new(Name);

    public Histogram<int> BatchSteps { get; }

    public Histogram<int> BatchRows { get; }

    public Counter<long> Rows { get; }

    public Counter<long> KvReused { get; }

    public Histogram<double> StepDuration { get; }

    public Counter<long> HopBytes { get; }

    public Counter<long> RefusedSteps { get; }

    public Counter<long> FailedSessions { get; }

    /// <summary>Adds the instruments that are read, not counted.</summary>
    public void Observe(Func<LoopGauges?> gauges)
    {
        _meter.CreateObservableGauge("kwaainet.shard.queue", () => gauges()?.WaitingSteps ?? 0, "{step}", "Steps that wait.");
        _meter.CreateObservableGauge("kwaainet.shard.sessions", () => gauges()?.Sessions ?? 0, "{session}", "Open sessions.");
        _meter.CreateObservableGauge("kwaainet.shard.kv.used", () => gauges()?.KvUsedBytes ?? 0, "By", "KV cache held by sessions.");
        _meter.CreateObservableGauge("kwaainet.shard.kv.free", () => gauges()?.KvFreeBytes ?? 0, "By", "KV cache that a new session could have.");
        _meter.CreateObservableGauge("kwaainet.shard.kv.cached", () => gauges()?.KvCachedBytes ?? 0, "By", "KV cache of finished sessions that can be found again.");
    }

    public void Dispose()
    {
        Source.Dispose();
        _meter.Dispose();
    }
}
