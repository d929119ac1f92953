using KwaaiNet.ApiNode.Planning;
using KwaaiNet.Protocol.Trust;

namespace KwaaiNet.ApiNode.Failures;

/// <summary>The model is known, and no chain can serve the request now.</summary>
internal sealed class ChainUnavailableException : ChatFailureException
{
    private static readonly TimeSpan s_retryModel = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan s_retryChain = TimeSpan.FromSeconds(5);

    private ChainUnavailableException(string message, string code, TimeSpan? retryAfter, string? param = null, int status = StatusCodes.Status503ServiceUnavailable)
        : base(message)
    {
        Status = status;
        Code = code;
        RetryAfter = retryAfter;
        Param = param;
    }

    /// <inheritdoc/>
    public override int Status { get; }

    /// <inheritdoc/>
    public override string Code { get; }

    /// <inheritdoc/>
    public override string? Param { get; }

    /// <inheritdoc/>
    public override TimeSpan? RetryAfter { get; }

    /// <summary>The model's file is still being hashed.</summary>
    public static ChainUnavailableException Opening(string model) =>
        new($"The model '{model}' is still being opened. Try again in a moment.", "model_not_available", s_retryModel);

    /// <summary>Every chain has stayed full for as long as a request waits.</summary>
    /// <param name="model">The model's id.</param>
    /// <param name="waited">How long it waited.</param>
    /// <param name="retry">How long another try would wait, as far as is known.</param>
    public static ChainUnavailableException Full(string model, TimeSpan waited, TimeSpan retry) => new(
        $"The shard nodes of the model '{model}' had no KV cache free for this request{(waited > TimeSpan.Zero ? $", nor within {waited.TotalSeconds:0.#} s" : "")}. Try again later, or ask for fewer tokens.",
        "kv_exhausted", retry);

    /// <summary>Every chain is full, and as many requests wait as may.</summary>
    /// <param name="model">The model's id.</param>
    /// <param name="waiting">How many wait.</param>
    /// <param name="retry">How long the last of them is going to wait, as far as is known.</param>
    public static ChainUnavailableException TooMany(string model, int waiting, TimeSpan retry) => new(
        $"The shard nodes of the model '{model}' have no KV cache free, and {waiting} requests wait for it. Try again later.",
        "too_many_waiting", retry, status: StatusCodes.Status429TooManyRequests);

    /// <summary>Why the planner found no chain, unless all of them are full.</summary>
    /// <param name="model">The model's id.</param>
    /// <param name="demanded">The tier the request demands.</param>
    /// <param name="why">The planner's diagnosis.</param>
    /// <param name="trouble">Why discovery cannot be relied on; null when it can.</param>
    /// <param name="lastFailure">What happened to the chain tried before, if one was; it names no node.</param>
    public static ChainUnavailableException From(string model, TrustTier demanded, NoChain why, string? trouble, string? lastFailure)
    {
        string missing = $"blocks {string.Join(", ", why.Missing)}";
        string message = why.Reason switch
        {
            NoChainReason.NotServed => $"No shard node serves the model '{model}' now ({missing} are missing). Start shard nodes for it.",
            NoChainReason.BlocksMissing when why.Loading.Length > 0 =>
                $"The model '{model}' is incomplete: {missing} are missing, and nodes are loading {string.Join(", ", why.Loading)}. Try again in a moment.",
            NoChainReason.BlocksMissing =>
                $"The model '{model}' is incomplete: {missing} are held by no ready shard node. Start a shard node that serves them.",
            NoChainReason.WeightsDiffer =>
                $"The model '{model}' is incomplete: {missing} are held only by nodes with another weights file. Give every node the same file.",
            NoChainReason.NodesFailed =>
                $"The model '{model}' is incomplete: {missing} are held only by shard nodes that failed a moment ago.",
            NoChainReason.TierTooLow =>
                $"No chain for the model '{model}' reaches trust tier '{demanded}'; the best one has '{why.BestTier}'. Lower kwaainet_trust_tier or leave it out.",
            NoChainReason.SamplingNotSpoken =>
                $"The nodes that hold the last block of the model '{model}' run an older version that knows no penalties, logit_bias, min_p, typical_p or logprobs. Update them, or leave these parameters out.",
            _ => $"The shard nodes of the model '{model}' overlap in so many ways that no chain of them was found in {ChainSearch.MaxCases} tries, though every block is held. Fewer shards with more memory each help.",
        };
        if (lastFailure is not null && why.Reason is NoChainReason.NodesFailed or NoChainReason.BlocksMissing)
        {
            message = $"{message} {lastFailure}";
        }

        if (trouble is not null)
        {
            message = $"{message} What is known of the nodes may be out of date: {trouble}";
        }

        // Where waiting cannot help the status is one that clients do not try again: they do at 408, 409, 429 and from 500 on.
        return why.Reason switch
        {
            NoChainReason.NotServed => new ChainUnavailableException(message, "model_not_available", s_retryChain),
            NoChainReason.TierTooLow => new ChainUnavailableException(message, "trust_tier_unavailable", null, "kwaainet_trust_tier", StatusCodes.Status422UnprocessableEntity),
            NoChainReason.SamplingNotSpoken => new ChainUnavailableException(message, "sampling_unavailable", null, status: StatusCodes.Status422UnprocessableEntity),
            _ => new ChainUnavailableException(message, "chain_incomplete", s_retryChain),
        };
    }
}
