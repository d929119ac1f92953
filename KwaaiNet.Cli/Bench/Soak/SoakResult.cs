using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>What <c>kwaainet bench soak</c> saw.</summary>
internal sealed record SoakResult
{
    [JsonPropertyName("model")]
    public required string Model { get; init; }

    [JsonPropertyName("weights")]
    public required string? Weights { get; init; }

    [JsonPropertyName("shards")]
    public required int Shards { get; init; }

    [JsonPropertyName("replicas")]
    public required int Replicas { get; init; }

    [JsonPropertyName("users")]
    public required int Users { get; init; }

    [JsonPropertyName("seed")]
    public required int Seed { get; init; }

    /// <summary>Different requests there were; each has a twin.</summary>
    [JsonPropertyName("shapes")]
    public required int Shapes { get; init; }

    /// <summary>From the first request to the end of the last, twins not included.</summary>
    [JsonPropertyName("seconds")]
    public required double Seconds { get; init; }

    /// <summary>Whether Ctrl-C ended it before its time.</summary>
    [JsonPropertyName("interrupted")]
    public required bool Interrupted { get; init; }

    [JsonPropertyName("requests")]
    public required SoakCounts Requests { get; init; }

    /// <summary>Resident memory of every node and of this command.</summary>
    [JsonPropertyName("processes")]
    public required IReadOnlyList<ProcessMemory> Processes { get; init; }

    [JsonPropertyName("kv")]
    public required IReadOnlyList<ShardRoom> Kv { get; init; }

    /// <summary>Nodes that ended though nobody asked them to.</summary>
    [JsonPropertyName("deaths")]
    public required IReadOnlyList<string> Deaths { get; init; }

    /// <summary>The first answers that were different or failed.</summary>
    [JsonPropertyName("examples")]
    public required IReadOnlyList<string> Examples { get; init; }

    /// <summary>Whether everything held that must.</summary>
    [JsonPropertyName("passed")]
    public bool Passed => Problems.Count == 0;

    /// <summary>What did not hold, in words.</summary>
    [JsonPropertyName("problems")]
    public IReadOnlyList<string> Problems => [.. Broken()];

    private IEnumerable<string> Broken()
    {
        if (Requests.Different > 0) yield return $"{Requests.Different} of {Requests.Sent} answers differ from their undisturbed twins.";
        if (Requests.Failed > 0) yield return $"{Requests.Failed} of {Requests.Sent} requests failed.";
        // The terminal's Ctrl-C goes to the nodes too: those that it ended have neither died nor kept anything.
        foreach (ShardRoom shard in Kv.Where(shard => !shard.IsReturned && (shard.Answers || !Interrupted)))
        {
            yield return shard.Answers
                ? $"{shard.Name} still holds {shard.KvUsedBytes} bytes of KV cache ({shard.KvStartBytes} at the start) for {shard.Sessions} sessions."
                : $"{shard.Name} does not say what it holds.";
        }

        if (Interrupted) yield break;
        foreach (string death in Deaths) yield return death;
        if (Requests.Sent == Requests.Refused) yield return "Nothing was answered.";
    }
}
