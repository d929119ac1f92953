using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Trust;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>One node's READY range of one model, with what running it costs.</summary>
/// <param name="NodeId">The node's did:key.</param>
/// <param name="Endpoint">Where it answers: the most preferred of its endpoints that has not just failed.</param>
/// <param name="Range">The blocks it holds; a chain may use a part of them.</param>
/// <param name="BlockNanoseconds">Measured time of one block and one token, load included.</param>
/// <param name="KvFreeBytes">KV bytes it had free when it last announced.</param>
/// <param name="ContextLength">Positions it takes; 0: not said.</param>
/// <param name="Tier">How far it is trusted.</param>
internal sealed record Candidate(
    string NodeId, string Endpoint, BlockRange Range, long BlockNanoseconds, long KvFreeBytes, uint ContextLength, TrustTier Tier)
{
    /// <summary>The newest protocol version the node speaks.</summary>
    public uint ProtocolVersion { get; init; } = ProtocolVersions.Base;

    /// <summary>KV bytes that one position takes in one block there.</summary>
    public long KvBytesPerBlockPosition { get; init; } = 1;

    /// <summary>KV bytes it may give to all sessions together; 0: not said.</summary>
    public long KvTotalBytes { get; init; }

    /// <summary>When its process started, by its own clock; 0: not said.</summary>
    public long StartedUnixMs { get; init; }

    /// <summary>Which of the node's records this is.</summary>
    public ulong Sequence { get; init; }

    /// <summary>Time of one block and one row of a prompt, load included.</summary>
    public long PrefillNanoseconds { get; init; }

    /// <summary>Whether every way to it has failed a moment ago.</summary>
    public bool IsAvoided { get; init; }

    /// <summary>Assumed where a node has not measured yet: 2 ms a block, slower than most, so that measured nodes are preferred.</summary>
    public const long UnmeasuredBlockNanoseconds = 2_000_000;

    /// <summary>Time a hop adds whatever it runs: framing, network, scheduling.</summary>
    public const long HopNanoseconds = 500_000;

    /// <summary>Sessions and waiting steps that double a node's cost: a batch of that size takes about twice as long as one step.</summary>
    private const int LoadThatDoubles = 4;

    /// <summary>Rows of a prompt assumed to take the time of one decoded token where a node has not measured: they share every weight that is read.</summary>
    private const int PrefillRowsPerDecode = 4;

    private const double NanosecondsPerSecond = 1e9;

    // More than any model's position takes in a block; what a record says beyond must not overflow when it is multiplied.
    private const long MaxKvBytesPerBlockPosition = 1L << 31;

    /// <summary>Estimated time of one token through some of its blocks, the way there included.</summary>
    public long TokenNanoseconds(int blocks) => HopNanoseconds + (BlockNanoseconds * blocks);

    /// <summary>Reads one range of a record.</summary>
    /// <param name="record">The node.</param>
    /// <param name="served">The range.</param>
    /// <param name="tier">How far the node is trusted.</param>
    /// <param name="request">Which endpoints to avoid, and what a position takes where the record does not say.</param>
    public static Candidate From(NodeRecord record, ServedBlocks served, TrustTier tier, ChainRequest request)
    {
        string? endpoint = record.Endpoints.FirstOrDefault(way => !request.Avoid.Contains(record.NodeId, way, record.StartedUnixMs));
        BlockRange range = new((int)served.FirstBlock, (int)served.EndBlock);
        long block = PerBlock(served.DecodeTokensPerSecond, range) ?? UnmeasuredBlockNanoseconds;
        long prefill = PerBlock(served.PrefillTokensPerSecond, range) ?? Math.Max(1, block / PrefillRowsPerDecode);
        long sessions = Math.Max(0, Math.Min(served.Sessions, 10_000L) + request.OpenedSince(record));
        long load = Math.Min(served.Queue, 10_000L) + sessions;
        return new Candidate(
            record.NodeId, endpoint ?? record.Endpoints[0], range, Loaded(block, load), served.KvFreeBytes, served.ContextLength, tier)
        {
            PrefillNanoseconds = Loaded(prefill, load),
            KvBytesPerBlockPosition = served.KvBytesPerBlockPosition > 0
                ? Math.Min(served.KvBytesPerBlockPosition, MaxKvBytesPerBlockPosition)
                : Math.Max(1, request.Model.KvBytesPerBlockPosition),
            KvTotalBytes = Math.Max(served.KvTotalBytes, 0),
            StartedUnixMs = record.StartedUnixMs,
            Sequence = record.Sequence,
            IsAvoided = endpoint is null,
            ProtocolVersion = ProtocolVersions.Spoken.Where(record.ProtocolVersions.Contains).DefaultIfEmpty(ProtocolVersions.Base).Max(),
        };
    }

    // A rate is measured through all blocks that are held; null where it was not.
    private static long? PerBlock(double rate, BlockRange range) => rate > 0 && double.IsFinite(rate)
        ? (long)Math.Clamp(NanosecondsPerSecond / rate / range.Count, 1, 60 * NanosecondsPerSecond)
        : null;

    private static long Loaded(long nanoseconds, long load) => nanoseconds + (nanoseconds * load / LoadThatDoubles);
}
