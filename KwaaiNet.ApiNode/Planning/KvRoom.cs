namespace KwaaiNet.ApiNode.Planning;

/// <summary>Which of a shard's KV memory a plan may count on.</summary>
internal enum KvRoom
{
    /// <summary>What was free when the shard last announced: up to a heartbeat ago.</summary>
    Free,

    /// <summary>All that the shard may ever give, whoever uses it now. The shard itself says whether it has it.</summary>
    Whole,

    /// <summary>Room does not matter: is every block served?</summary>
    Any,
}
