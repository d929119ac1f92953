namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>How a model's makers recommend to draw from it; what is null they did not say. A request's own values come first.</summary>
public sealed record RecommendedSampling
{
    /// <summary>Nothing is recommended.</summary>
    public static RecommendedSampling None { get; } = new();

    /// <summary>See <see cref="SamplingParameters.Temperature"/>.</summary>
    public float? Temperature { get; init; }

    /// <summary>See <see cref="SamplingParameters.TopK"/>.</summary>
    public int? TopK { get; init; }

    /// <summary>See <see cref="SamplingParameters.TopP"/>.</summary>
    public float? TopP { get; init; }

    /// <summary>See <see cref="SamplingParameters.MinP"/>.</summary>
    public float? MinP { get; init; }

    /// <summary>See <see cref="SamplingParameters.TypicalP"/>.</summary>
    public float? TypicalP { get; init; }

    /// <summary>See <see cref="SamplingParameters.RepetitionPenalty"/>.</summary>
    public float? RepetitionPenalty { get; init; }

    /// <summary>See <see cref="SamplingParameters.RepeatLastN"/>.</summary>
    public int? RepeatLastN { get; init; }

    /// <summary>Whether anything is recommended.</summary>
    public bool IsEmpty => this == None;
}
