using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>Whether an OpenSession fits what this shard serves. Pure: looks at the message and the blocks, changes nothing.</summary>
internal static class SessionRules
{
    /// <summary>The protocol version spoken here.</summary>
    public const uint ProtocolVersion = 1;

    /// <summary>Nodes one session may accept steps from: the API node, the previous shard, the ring, and room for a stand-in of each.</summary>
    public const int MaxStepSources = 8;

    /// <summary>End tokens one session may name.</summary>
    public const int MaxEndTokens = 256;

    private const int MaxNodeIdLength = 128;

    /// <summary>The first thing wrong with the request, or null.</summary>
    public static Refusal? Check(OpenSession open, ServedModel served, string ownNodeId)
    {
        ModelShape shape = served.Shape;
        if (open.ProtocolVersion != ProtocolVersion)
        {
            return new(FailureCode.VersionMismatch, $"Protocol version {open.ProtocolVersion} is not spoken here; {ProtocolVersion} is.");
        }

        if (open.SessionId.Length != SessionId.Length)
        {
            return new(FailureCode.BadFrame, $"A session id has {SessionId.Length} bytes, this one has {open.SessionId.Length}.");
        }

        if (!string.Equals(open.Model, served.Model, StringComparison.Ordinal)
            || !string.Equals(open.WeightsHash, served.WeightsHash, StringComparison.Ordinal))
        {
            return new(FailureCode.WeightsMismatch, $"Served here is {served.Model} with weights {served.WeightsHash}.");
        }

        if (open.FirstBlock >= open.EndBlock || open.FirstBlock < served.Range.First || open.EndBlock > served.Range.End)
        {
            return new(FailureCode.RangeNotHeld, $"Blocks [{open.FirstBlock}, {open.EndBlock}) are not held; {served.Range} are.");
        }

        if (open.HiddenFormat is not (HiddenFormat.F16 or HiddenFormat.F32))
        {
            return new(FailureCode.BadFrame, $"Hidden format {(int)open.HiddenFormat} is not known.");
        }

        if (open.HiddenFormat == HiddenFormat.F16 && shape.HiddenExceedsHalf)
        {
            return new(FailureCode.BadFrame, $"Hidden states of {served.Model} may grow beyond what F16 holds. Open the session with F32.");
        }

        if (open.MaxPositions is 0 || open.MaxPositions > shape.ContextLength)
        {
            return new(FailureCode.ContextExceeded, $"{open.MaxPositions} positions do not fit the context of {shape.ContextLength}.");
        }

        return CheckSources(open) ?? CheckHops(open, shape, ownNodeId) ?? CheckSampling(open);
    }

    private static Refusal? CheckSources(OpenSession open)
    {
        if (open.StepSources.Count is 0 or > MaxStepSources)
        {
            return new(FailureCode.BadFrame, $"A session names 1 to {MaxStepSources} step sources, not {open.StepSources.Count}.");
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

    private static Refusal? CheckSampling(OpenSession open)
    {
        if (open.EndTokens.Count > MaxEndTokens) return new(FailureCode.BadFrame, $"More than {MaxEndTokens} end tokens.");
        if (open.Sampling is not { } sampling) return null;

        bool fits = float.IsFinite(sampling.Temperature) && sampling.Temperature >= 0
            && sampling.TopP is >= 0 and <= 1 && sampling.TopK <= int.MaxValue;
        return fits ? null : new(FailureCode.BadFrame, "Sampling: temperature is finite and not negative, top_p within 0 to 1.");
    }
}
