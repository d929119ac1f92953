using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>What <c>kwaainet bench network</c> measured: real processes on loopback, as a client of the OpenAI API sees them. Medians are over rounds, the first of them left out where there are three or more.</summary>
internal sealed record NetworkBenchResult
{
    [JsonPropertyName("model")]
    public required string Model { get; init; }

    [JsonPropertyName("weights")]
    public required string? Weights { get; init; }

    [JsonPropertyName("shards")]
    public required int Shards { get; init; }

    [JsonPropertyName("users")]
    public required int Users { get; init; }

    /// <summary>Tokens of a prompt as the API counted them, chat template included.</summary>
    [JsonPropertyName("prompt")]
    public required int Prompt { get; init; }

    /// <summary>What was asked in each round, all users together, and how much of it was not computed; the first round as well.</summary>
    [JsonPropertyName("prompts_by_round")]
    public required IReadOnlyList<RoundPrompts> PromptsByRound { get; init; }

    [JsonPropertyName("generate")]
    public required int Generate { get; init; }

    [JsonPropertyName("rounds")]
    public required int Rounds { get; init; }

    /// <summary>From one node to another and back, as asked for with <c>--rtt-ms</c>.</summary>
    [JsonPropertyName("rtt_ms")]
    public required double RoundTripMilliseconds { get; init; }

    /// <summary>Time to first token, in milliseconds, over all requests of the rounds that count.</summary>
    [JsonPropertyName("ttft_ms_p50")]
    public required double TimeToFirstTokenP50 { get; init; }

    [JsonPropertyName("ttft_ms_p99")]
    public required double TimeToFirstTokenP99 { get; init; }

    /// <summary>Time per output token after the first, in milliseconds: each answer's mean.</summary>
    [JsonPropertyName("tpot_ms_p50")]
    public required double TimePerTokenP50 { get; init; }

    [JsonPropertyName("tpot_ms_p99")]
    public required double TimePerTokenP99 { get; init; }

    /// <summary>Gaps between the pieces of an answer as they reach the client, in milliseconds.</summary>
    [JsonPropertyName("itl_ms_p50")]
    public required double GapP50 { get; init; }

    [JsonPropertyName("itl_ms_p99")]
    public required double GapP99 { get; init; }

    /// <summary>All tokens of a round ÷ all its time, prompts included.</summary>
    [JsonPropertyName("total_tok_s")]
    public required double TotalTokensPerSecond { get; init; }

    /// <summary>Tokens a second while every user decodes: from the last first token to the first last one.</summary>
    [JsonPropertyName("steady_tok_s")]
    public required double SteadyTokensPerSecond { get; init; }

    /// <summary>The first round's <see cref="SteadyTokensPerSecond"/>: a network that has just come up.</summary>
    [JsonPropertyName("first_tok_s")]
    public required double FirstTokensPerSecond { get; init; }

    /// <summary>Prompt tokens ÷ time to first token, of one user.</summary>
    [JsonPropertyName("prefill_tok_s")]
    public required double PrefillTokensPerSecond { get; init; }

    /// <summary>Slowest ÷ fastest user of a round, by tokens a second from the request to the last token.</summary>
    [JsonPropertyName("fairness")]
    public required double Fairness { get; init; }

    /// <summary>What a token's way costs beyond the shards' own steps, a hop, in milliseconds: (time per token − the sum of the shards' steps) ÷ shards; the p99 from the gaps. Of one user only; null otherwise.</summary>
    [JsonPropertyName("hop_ms_p50")]
    public required double? HopP50 { get; init; }

    [JsonPropertyName("hop_ms_p99")]
    public required double? HopP99 { get; init; }

    /// <summary>Microseconds of processor time a token, by process; the client is this command.</summary>
    [JsonPropertyName("cpu_us_per_token")]
    public required IReadOnlyDictionary<string, double> ProcessorMicrosecondsPerToken { get; init; }

    /// <summary>What <c>bench engine</c> decodes of the same file in the same minutes, the users as its batch; 0 when it was not asked.</summary>
    [JsonPropertyName("single_process_tok_s")]
    public required double SingleProcessTokensPerSecond { get; init; }

    /// <summary>The engine's prefill of a prompt of that length; 0 when it was not asked.</summary>
    [JsonPropertyName("single_process_prefill_tok_s")]
    public required double SingleProcessPrefillTokensPerSecond { get; init; }

    /// <summary><see cref="SteadyTokensPerSecond"/> ÷ <see cref="SingleProcessTokensPerSecond"/>.</summary>
    [JsonPropertyName("ratio")]
    public required double? Ratio { get; init; }

    /// <summary>What the users noticed of a long prompt among them; null when it was not asked.</summary>
    [JsonPropertyName("while_prompt")]
    public InterferenceResult? WhilePrompt { get; init; }
}
