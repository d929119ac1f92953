using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>What became of the requests of a soak; twins are not counted.</summary>
internal sealed record SoakCounts
{
    /// <summary>All that follow together.</summary>
    [JsonPropertyName("sent")]
    public int Sent { get; init; }

    /// <summary>Answered as the twin was.</summary>
    [JsonPropertyName("answered")]
    public int Answered { get; init; }

    /// <summary>Ended by the reader, in mid-answer or by Ctrl-C.</summary>
    [JsonPropertyName("cancelled")]
    public int Cancelled { get; init; }

    /// <summary>429 or 503.</summary>
    [JsonPropertyName("refused")]
    public int Refused { get; init; }

    /// <summary>Other errors, and answers that broke off.</summary>
    [JsonPropertyName("failed")]
    public int Failed { get; init; }

    /// <summary>Answered otherwise than the twin was.</summary>
    [JsonPropertyName("different")]
    public int Different { get; init; }

    /// <summary>Tokens of all answers that came whole.</summary>
    [JsonPropertyName("tokens")]
    public long Tokens { get; init; }

    /// <summary>Tokens of their prompts.</summary>
    [JsonPropertyName("prompt_tokens")]
    public long PromptTokens { get; init; }

    /// <summary>Of the prompts, tokens that were not computed.</summary>
    [JsonPropertyName("cached_tokens")]
    public long CachedTokens { get; init; }

    /// <summary>The longest gap between two pieces of an answer, in milliseconds.</summary>
    [JsonPropertyName("stall_ms_max")]
    public double LongestStallMilliseconds { get; init; }

    /// <summary>Gaps of more than a second.</summary>
    [JsonPropertyName("stalls_over_1s")]
    public int Stalls { get; init; }

    /// <summary>The longest time to a first token, in milliseconds.</summary>
    [JsonPropertyName("ttft_ms_max")]
    public double LongestFirstTokenMilliseconds { get; init; }
}
