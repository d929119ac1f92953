namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>How the next token is drawn from logits.</summary>
public sealed record SamplingParameters
{
    /// <summary>Greedy decoding.</summary>
    public static SamplingParameters Greedy { get; } = new() { Temperature = 0 };

    /// <summary>0 is greedy whatever else is set; otherwise logits are divided by it. Default 1.</summary>
    public float Temperature { get; init; } = 1;

    /// <summary>Keep only this many most likely tokens; 0 keeps all.</summary>
    public int TopK { get; init; }

    /// <summary>Keep the most likely tokens whose probabilities reach this sum; 1 keeps all.</summary>
    public float TopP { get; init; } = 1;

    /// <summary>Seed of the random sequence. The draw at a position depends on seed and position alone, so that a replay draws the same token.</summary>
    public ulong Seed { get; init; }
}
