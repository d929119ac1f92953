using KwaaiNet.Protocol.Discovery;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Serving;
using KwaaiNet.ShardNode.Telemetry;

namespace KwaaiNet.ShardNode.Announcing;

/// <summary>Tells the network which blocks this node serves, how fast, and how much room it has: measured, not promised.</summary>
internal sealed class ShardAnnouncer(ShardServing serving, NodeAnnouncerDependencies dependencies) : NodeAnnouncer(dependencies)
{
    // The share of the KV budget by which what is free must differ from what was announced.
    private const int NewsShare = 8;

    /// <inheritdoc/>
    protected override bool HasNews(NodeRecord announced)
    {
        if (serving.Held.Loop is not { } loop || announced.Serving.Count == 0) return false;

        return Math.Abs(loop.Gauges.KvFreeBytes - announced.Serving[0].KvFreeBytes) > loop.KvTotalBytes / NewsShare;
    }

    /// <inheritdoc/>
    protected override void Describe(NodeRecord record)
    {
        record.Role = NodeRole.Shard;
        HeldBlocks held = serving.Held;
        if (serving.Model is not { } model || held.Range is not { } range) return;

        ServedBlocks served = new()
        {
            Model = model.Model,
            WeightsHash = model.WeightsHash,
            FirstBlock = (uint)range.First,
            EndBlock = (uint)range.End,
            BlockCount = (uint)model.Shape.BlockCount,
            State = serving.IsStuck ? ServingState.Draining : held.State,
            WeightFormat = Clean(model.WeightFormat, NodeRecordBounds.MaxName),
            Backend = model.Backend,
            Device = Clean(model.Device, NodeRecordBounds.MaxText),
            ContextLength = (uint)model.Shape.ContextLength,
            Width = (uint)model.Shape.Width,
        };
        if (held.Loop is { } loop)
        {
            LoopGauges gauges = loop.Gauges;
            served.WeightBytes = loop.WeightBytes;
            served.PrefillTokensPerSecond = gauges.PrefillTokensPerSecond;
            served.DecodeTokensPerSecond = gauges.DecodeTokensPerSecond;
            served.KvFreeBytes = Math.Max(0, gauges.KvFreeBytes);
            served.KvTotalBytes = Math.Max(0, loop.KvTotalBytes);
            served.KvBytesPerBlockPosition = Math.Max(0, loop.KvBytesPerBlockPosition);
            served.Queue = (uint)Math.Max(0, gauges.WaitingSteps);
            served.Sessions = (uint)Math.Max(0, gauges.Sessions);
        }

        record.Serving.Add(served);
    }

    // A driver's device name is not ours to trust: a record with a control character in it is believed by nobody.
    private static string Clean(string text, int most)
    {
        string clean = string.Concat(text.Where(character => !char.IsControl(character))).Trim();
        return clean.Length <= most ? clean : clean[..most];
    }
}
