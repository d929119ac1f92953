using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>What users who decode notice of a long prompt that is computed among them. Over all rounds together.</summary>
internal sealed record InterferenceResult
{
    /// <summary>The least that <see cref="BoundMilliseconds"/> is: what one turn of a shard's loop is to stay within.</summary>
    public const double TurnMilliseconds = 50;

    private const double BoundRatio = 2;

    /// <summary>Tokens of the long prompt as the API counted them, chat template included.</summary>
    [JsonPropertyName("prompt")]
    public required int Prompt { get; init; }

    /// <summary>Its time to first token in milliseconds: the median of the rounds.</summary>
    [JsonPropertyName("ttft_ms_p50")]
    public required double TimeToFirstTokenP50 { get; init; }

    /// <summary>Gaps between the pieces of the users' answers while nothing else was asked, in milliseconds.</summary>
    [JsonPropertyName("itl_ms_p50_before")]
    public required double GapP50Before { get; init; }

    [JsonPropertyName("itl_ms_p99_before")]
    public required double GapP99Before { get; init; }

    /// <summary>The same from the sending of the long prompt to its first token.</summary>
    [JsonPropertyName("itl_ms_p50_while")]
    public required double GapP50While { get; init; }

    [JsonPropertyName("itl_ms_p99_while")]
    public required double GapP99While { get; init; }

    [JsonPropertyName("itl_ms_max_while")]
    public required double GapMaxWhile { get; init; }

    /// <summary><see cref="GapP99While"/> ÷ <see cref="GapP50Before"/>.</summary>
    [JsonPropertyName("ratio")]
    public required double Ratio { get; init; }

    /// <summary>What <see cref="GapP99While"/> is to stay within: twice <see cref="GapP50Before"/>, or <see cref="TurnMilliseconds"/> where that is more.</summary>
    [JsonPropertyName("bound_ms")]
    public required double BoundMilliseconds { get; init; }

    /// <summary>Sums up what was measured.</summary>
    /// <param name="prompts">The answers to the long prompts, one a round.</param>
    /// <param name="before">Gaps while nothing else was asked, in milliseconds.</param>
    /// <param name="during">Gaps while a long prompt was computed, in milliseconds.</param>
    public static InterferenceResult Of(IReadOnlyList<BenchAnswer> prompts, IReadOnlyList<double> before, IReadOnlyList<double> during)
    {
        double usual = Percentile.Median(before);
        double slowest = Percentile.Of(during, 0.99);
        return new InterferenceResult
        {
            Prompt = prompts[0].PromptTokens,
            TimeToFirstTokenP50 = Math.Round(Percentile.Median(prompts.Select(prompt => prompt.TimeToFirstToken)), 1),
            GapP50Before = Math.Round(usual, 3),
            GapP99Before = Math.Round(Percentile.Of(before, 0.99), 3),
            GapP50While = Math.Round(Percentile.Median(during), 3),
            GapP99While = Math.Round(slowest, 3),
            GapMaxWhile = Math.Round(Percentile.Of(during, 1), 3),
            Ratio = Math.Round(slowest / usual, 3),
            BoundMilliseconds = Math.Round(Math.Max(BoundRatio * usual, TurnMilliseconds), 3),
        };
    }
}
