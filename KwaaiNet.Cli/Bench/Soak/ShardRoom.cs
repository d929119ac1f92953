using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>What a shard said at the end.</summary>
/// <param name="Name">The shard.</param>
/// <param name="Answers">Whether it said anything.</param>
/// <param name="Sessions">Open sessions.</param>
/// <param name="KvStartBytes">KV cache that sessions held before anything was asked.</param>
/// <param name="KvUsedBytes">KV cache that sessions hold.</param>
/// <param name="KvCachedBytes">KV cache that nobody holds and in which finished sessions can still be found: room for whoever comes, not a leak.</param>
internal sealed record ShardRoom(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("answers")] bool Answers,
    [property: JsonPropertyName("sessions")] int Sessions,
    [property: JsonPropertyName("kv_start_bytes")] long KvStartBytes,
    [property: JsonPropertyName("kv_used_bytes")] long KvUsedBytes,
    [property: JsonPropertyName("kv_cached_bytes")] long KvCachedBytes)
{
    /// <summary>Whether all that was taken has come back.</summary>
    [JsonIgnore]
    public bool IsReturned => Answers && Sessions == 0 && KvUsedBytes <= KvStartBytes;
}
