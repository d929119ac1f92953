using KwaaiNet.ApiNode.Models;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Trust;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>One answer to generate.</summary>
internal sealed record GenerationRequest
{
    /// <summary>The model.</summary>
    public required ChatModel Model { get; init; }

    /// <summary>The prompt's tokens; at least one.</summary>
    public required int[] Prompt { get; init; }

    /// <summary>How tokens are drawn.</summary>
    public required SamplingParameters Sampling { get; init; }

    /// <summary>Tokens to generate at most.</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>Whether the request named the limit. One that did not takes less when no chain could ever hold so many.</summary>
    public required bool LimitIsRequested { get; init; }

    /// <summary>Who may find this conversation's pages again: requests of the same scope share them.</summary>
    public string CacheScope { get; init; } = "";

    /// <summary>The least tier of every node of the chain.</summary>
    public TrustTier MinimumTier { get; init; }
}
