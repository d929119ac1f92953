using System.Diagnostics.CodeAnalysis;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>Either a chain or why there is none.</summary>
internal sealed record ChainPlan
{
    private ChainPlan(ShardChain? chain, NoChain? noChain)
    {
        Chain = chain;
        NoChain = noChain;
    }

    /// <summary>The chain.</summary>
    public ShardChain? Chain { get; }

    /// <summary>Why there is none.</summary>
    public NoChain? NoChain { get; }

    /// <summary>Whether there is a chain.</summary>
    [MemberNotNullWhen(true, nameof(Chain))]
    [MemberNotNullWhen(false, nameof(NoChain))]
    public bool Found => Chain is not null;

    /// <summary>There is a chain.</summary>
    public static ChainPlan Of(ShardChain chain) => new(chain, null);

    /// <summary>There is none.</summary>
    public static ChainPlan None(NoChain why) => new(null, why);
}
