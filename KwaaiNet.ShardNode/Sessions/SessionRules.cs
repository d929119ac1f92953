using Google.Protobuf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Nodes;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Kv;
using KwaaiNet.ShardNode.Loading;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>Whether an OpenSession fits what this shard serves. Pure: looks at the message and the blocks, changes nothing.</summary>
internal static class SessionRules
{
    private const int MaxNodeIdLength = 128;

    /// <summary>The first thing wrong with the request, or null.</summary>
    public static Refusal? Check(OpenSession open, OpenedModel model, BlockRange held, string ownNodeId)
    {
        ModelShape shape = model.Shape;
        if (!ProtocolVersions.Spoken.Contains(open.ProtocolVersion))
        {
            return new(FailureCode.VersionMismatch, $"Protocol version {open.ProtocolVersion} is not spoken here; {string.Join(" and ", ProtocolVersions.Spoken)} are.");
        }

        if (open.SessionId.Length != SessionId.Length)
        {
            return new(FailureCode.BadFrame, $"A session id has {SessionId.Length} bytes, this one has {open.SessionId.Length}.");
        }

        if (!string.Equals(open.Model, model.Model, StringComparison.Ordinal)
            || !string.Equals(open.WeightsHash, model.WeightsHash, StringComparison.Ordinal))
        {
            return new(FailureCode.WeightsMismatch, $"Served here is {model.Model} with weights {model.WeightsHash}.");
        }

        if (open.FirstBlock >= open.EndBlock || open.FirstBlock < held.First || open.EndBlock > held.End)
        {
            return new(FailureCode.RangeNotHeld, $"Blocks [{open.FirstBlock}, {open.EndBlock}) are not held; {held} are.");
        }

        if (open.HiddenFormat is not (HiddenEncoding.F16 or HiddenEncoding.F32))
        {
            return new(FailureCode.BadFrame, $"Hidden format {(int)open.HiddenFormat} is not known.");
        }

        if (open.HiddenFormat == HiddenEncoding.F16 && shape.HiddenExceedsHalf)
        {
            return new(FailureCode.BadFrame, $"Hidden states of {model.Model} may grow beyond what F16 holds. Open the session with F32.");
        }

        if (open.MaxPositions is 0 || open.MaxPositions > shape.ContextLength)
        {
            return new(FailureCode.ContextExceeded, $"{open.MaxPositions} positions do not fit the context of {shape.ContextLength}.");
        }

        return CheckPrefix(open) ?? CheckSources(open) ?? CheckHops(open, shape, ownNodeId) ?? CheckEndTokens(open) ?? SamplingRules.Check(open, shape);
    }

    /// <summary>Whether bytes are hashes of pages, one behind the other, and no more than a message may name.</summary>
    public static bool AreHashes(ByteString hashes) => hashes.Length % PageHash.Length == 0 && hashes.Length <= PageHash.MaxPages * PageHash.Length;

    private static Refusal? CheckPrefix(OpenSession open)
    {
        // A session that began with all it may reach would have no row to run.
        if (!AreHashes(open.PrefixHashes) || (long)open.PrefixHashes.Length / PageHash.Length * PageHash.Positions >= open.MaxPositions)
        {
            return new(FailureCode.BadFrame, $"{open.PrefixHashes.Length} bytes of prefix hashes do not name pages of {open.MaxPositions} positions.");
        }

        return open.PrefixLineage.Length is 0 or PageHash.Length
            ? null
            : new(FailureCode.BadFrame, $"A lineage has {PageHash.Length} bytes, not {open.PrefixLineage.Length}.");
    }

    /// <summary>What a request that was found right is expected to need. One that does not say how it begins is taken at its limit.</summary>
    public static KvNeed NeedOf(OpenSession open) => new((int)(open.FirstPositions is 0 ? open.MaxPositions : Math.Min(open.FirstPositions, open.MaxPositions)), (int)open.MaxPositions);

    /// <summary>When the request came, as its API node tells; never in the future.</summary>
    public static long RequestedUnixMs(OpenSession open, TimeProvider time)
    {
        long now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return open.RequestedUnixMs is 0 || open.RequestedUnixMs > (ulong)now ? now : (long)open.RequestedUnixMs;
    }

    private static Refusal? CheckSources(OpenSession open)
    {
        if (open.StepSources.Count is 0 or > SessionBounds.MaxStepSources)
        {
            return new(FailureCode.BadFrame, $"A session names 1 to {SessionBounds.MaxStepSources} step sources, not {open.StepSources.Count}.");
        }

        foreach (string source in open.StepSources)
        {
            if (source.Length is 0 or > MaxNodeIdLength) return new(FailureCode.BadFrame, "A step source is not a node id.");
        }

        return null;
    }

    private static Refusal? CheckHops(OpenSession open, ModelShape shape, string ownNodeId)
    {
        bool isLast = open.EndBlock == shape.BlockCount;
        if (isLast == open.Next is not null)
        {
            return new(FailureCode.BadFrame, isLast ? "The last shard has no next hop." : "A shard before the last needs a next hop.");
        }

        if (open.Ring is not null && !isLast) return new(FailureCode.BadFrame, "Only the last shard has a ring hop.");
        if (isLast && open.FirstBlock != 0 && (open.Ring is null || open.Ring.NodeId == ownNodeId))
        {
            return new(FailureCode.BadFrame, "The last shard of a chain needs a ring hop to the first, which is another node.");
        }

        if (isLast && open.FirstBlock == 0 && open.Ring is not null && open.Ring.NodeId != ownNodeId)
        {
            return new(FailureCode.BadFrame, "A chain of one shard has no ring hop.");
        }

        return CheckHop(open.Next, ownNodeId, "next") ?? (open.Ring?.NodeId == ownNodeId ? null : CheckHop(open.Ring, ownNodeId, "ring"));
    }

    private static Refusal? CheckHop(Hop? hop, string ownNodeId, string which)
    {
        if (hop is null) return null;
        if (hop.NodeId.Length is 0 or > MaxNodeIdLength || hop.NodeId == ownNodeId)
        {
            return new(FailureCode.BadFrame, $"The {which} hop does not name another node.");
        }

        // The scheme is checked, so a frame cannot make this node speak anything but mutual TLS to the node it names.
        return Uri.TryCreate(hop.Endpoint, UriKind.Absolute, out Uri? uri) && uri.Scheme == Uri.UriSchemeHttps
            ? null
            : new(FailureCode.BadFrame, $"The {which} hop's endpoint is not an https address.");
    }

    private static Refusal? CheckEndTokens(OpenSession open) =>
        open.EndTokens.Count > SessionBounds.MaxEndTokens ? new(FailureCode.BadFrame, $"More than {SessionBounds.MaxEndTokens} end tokens.") : null;
}
