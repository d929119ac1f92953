using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Either a chain or why there is none.</summary>
internal sealed record ChainPlan
{
    private ChainPlan(ShardChain? chain, NoChain? noChain, ImmutableArray<BlockRange> held)
    {
        Chain = chain;
        NoChain = noChain;
        Held = held;
    }

    /// <summary>The chain.</summary>
    public ShardChain? Chain { get; }

    /// <summary>Why there is none.</summary>
    public NoChain? NoChain { get; }

    /// <summary>The ranges that could have been taken for the chain, one for each node that holds blocks ready; none without a chain.</summary>
    public ImmutableArray<BlockRange> Held { get; }

    /// <summary>Whether there is a chain.</summary>
    [MemberNotNullWhen(true, nameof(Chain))]
    [MemberNotNullWhen(false, nameof(NoChain))]
    public bool Found => Chain is not null;

    /// <summary>There is a chain.</summary>
    public static ChainPlan Of(ShardChain chain, ImmutableArray<BlockRange> held) => new(chain, null, held);

    /// <summary>There is none.</summary>
    public static ChainPlan None(NoChain why) => new(null, why, []);
}
