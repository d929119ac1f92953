using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench;

/// <summary>How near an accelerator comes to the processor.</summary>
internal sealed record EngineParityResult
{
    /// <summary>The mean divergence that rounding explains, in nats; also the most where the two choose differently.</summary>
    public const double MostDivergence = 1e-3;

    [JsonPropertyName("model")]
    public required string Model { get; init; }

    [JsonPropertyName("weights")]
    public required string Weights { get; init; }

    [JsonPropertyName("device")]
    public required string Device { get; init; }

    [JsonPropertyName("device_kind")]
    public required string DeviceKind { get; init; }

    [JsonPropertyName("processor")]
    public required string Processor { get; init; }

    [JsonPropertyName("generate")]
    public required int Generate { get; init; }

    /// <summary>Tokens that both choose, of those generated, each after the processor's earlier ones.</summary>
    [JsonPropertyName("same")]
    public required int Same { get; init; }

    /// <summary>The first token, counted from 0, that the device chooses differently; null where it chooses none.</summary>
    [JsonPropertyName("parted_at")]
    public required int? PartedAt { get; init; }

    /// <summary>How far the processor's choice led the device's there, in the processor's logits.</summary>
    [JsonPropertyName("lead_at_parting")]
    public required double? LeadAtParting { get; init; }

    /// <summary>Kullback-Leibler divergence of the device's next-token distributions from the processor's, in nats, averaged.</summary>
    [JsonPropertyName("kl_mean")]
    public required double MeanDivergence { get; init; }

    [JsonPropertyName("kl_max")]
    public required double MaxDivergence { get; init; }

    /// <summary>The largest of them where the choices differ; 0 where none does.</summary>
    [JsonPropertyName("kl_max_where_parted")]
    public required double MaxDivergenceWhereParted { get; init; }

    /// <summary>Whether the ids are equal, or part only at what rounding explains.</summary>
    [JsonPropertyName("passed")]
    public bool Passed => PartedAt is null || (MeanDivergence <= MostDivergence && MaxDivergenceWhereParted <= MostDivergence);

    /// <summary>The processor's greedy ids.</summary>
    [JsonPropertyName("ids")]
    public required IReadOnlyList<int> Ids { get; init; }
}
