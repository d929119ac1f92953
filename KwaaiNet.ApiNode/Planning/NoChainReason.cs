namespace KwaaiNet.ApiNode.Planning;

/// <summary>Why no chain covers a model.</summary>
internal enum NoChainReason
{
    /// <summary>No node announces the model.</summary>
    NotServed,

    /// <summary>Blocks that no ready node holds.</summary>
    BlocksMissing,

    /// <summary>Blocks that only nodes with another weights file hold.</summary>
    WeightsDiffer,

    /// <summary>Blocks that only nodes which failed a moment ago hold.</summary>
    NodesFailed,

    /// <summary>Every block is held, but not by nodes of the tier demanded.</summary>
    TierTooLow,

    /// <summary>Every block is held, but the nodes' context is shorter than the session.</summary>
    ContextTooShort,

    /// <summary>Every block is held, but whoever holds the last one speaks too old a protocol to draw as asked.</summary>
    SamplingNotSpoken,

    /// <summary>Every block is held, but not enough KV cache is free.</summary>
    KvExhausted,

    /// <summary>Every block is held, but by nodes that overlap in so many ways that the search for a chain was given up.</summary>
    SearchGivenUp,

    /// <summary>Every block is held, but the session needs more KV cache than the nodes have when nobody else uses it.</summary>
    KvTooSmall,
}
