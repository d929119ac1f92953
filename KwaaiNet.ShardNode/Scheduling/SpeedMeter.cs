using KwaaiNet.ShardNode.Telemetry;

namespace KwaaiNet.ShardNode.Scheduling;

/// <summary>Follows this shard's speed in real work: an exponentially weighted mean, so that a node that slows down is announced as slow within some dozen turns.</summary>
/// <remarks>
/// Decode is what one session sees: steps a second of a turn, however many sessions shared it. Prefill is rows a second.
/// Turns that mix both measure neither.
/// </remarks>
internal sealed class SpeedMeter(LoopGauges gauges)
{
    private const double Weight = 0.1;
    private const int MinPrefillRows = 8;

    /// <summary>Adds a turn that has run.</summary>
    public void Add(StepBatch batch, TimeSpan elapsed)
    {
        double seconds = elapsed.TotalSeconds;
        if (seconds <= 0) return;

        if (batch.IsDecode)
        {
            gauges.DecodeTokensPerSecond = Mean(gauges.DecodeTokensPerSecond, 1 / seconds);
        }
        else if (batch.Count == 1 && batch.Rows >= MinPrefillRows)
        {
            gauges.PrefillTokensPerSecond = Mean(gauges.PrefillTokensPerSecond, batch.Rows / seconds);
        }
    }

    private static double Mean(double before, double now) => before <= 0 ? now : before + (Weight * (now - before));
}
