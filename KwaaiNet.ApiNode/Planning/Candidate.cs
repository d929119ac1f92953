using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Trust;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>One node's READY range of one model, with what running it costs.</summary>
/// <param name="NodeId">The node's did:key.</param>
/// <param name="Endpoint">Where it answers.</param>
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

    /// <summary>Assumed where a node has not measured yet: 2 ms a block, slower than most, so that measured nodes are preferred.</summary>
    public const long UnmeasuredBlockNanoseconds = 2_000_000;

    /// <summary>Sessions and waiting steps that double a node's cost: a batch of that size takes about twice as long as one step.</summary>
    private const int LoadThatDoubles = 4;

    private const double NanosecondsPerSecond = 1e9;

    /// <summary>Reads one range of a record.</summary>
    public static Candidate From(NodeRecord record, ServedBlocks served, TrustTier tier)
    {
        BlockRange range = new((int)served.FirstBlock, (int)served.EndBlock);
        double rate = served.DecodeTokensPerSecond;
        long block = rate > 0 && double.IsFinite(rate)
            ? (long)Math.Clamp(NanosecondsPerSecond / rate / range.Count, 1, 60 * NanosecondsPerSecond)
            : UnmeasuredBlockNanoseconds;
        long load = Math.Min(served.Queue, 10_000L) + Math.Min(served.Sessions, 10_000L);
        return new Candidate(
            record.NodeId, record.Endpoints[0], range, block + (block * load / LoadThatDoubles), served.KvFreeBytes, served.ContextLength, tier)
        {
            ProtocolVersion = ProtocolVersions.Spoken.Where(record.ProtocolVersions.Contains).DefaultIfEmpty(ProtocolVersions.Base).Max(),
        };
    }
}
