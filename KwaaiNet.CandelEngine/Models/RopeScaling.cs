namespace KwaaiNet.CandelEngine.Models;

/// <summary>How RoPE's frequencies were stretched to make a model's context longer than it was first trained for.</summary>
/// <remarks>
/// With θ a pair's own frequency, the stretched one is θ / <see cref="Factor"/> (linear interpolation, arXiv:2306.15595), or in YaRN
/// (arXiv:2309.00071) a mixture: pairs that turn more than <see cref="BetaFast"/> times within <see cref="OriginalContext"/> keep θ,
/// those that turn less than <see cref="BetaSlow"/> times take θ / <see cref="Factor"/>, and a ramp lies between.
/// </remarks>
public sealed record RopeScaling
{
    /// <summary>Default for <see cref="BetaFast"/>: 32, the paper's.</summary>
    public const float DefaultBetaFast = 32;

    /// <summary>Default for <see cref="BetaSlow"/>: 1, the paper's.</summary>
    public const float DefaultBetaSlow = 1;

    /// <summary>What frequencies are divided by; 1 changes nothing.</summary>
    public float Factor { get; init; } = 1;

    /// <summary>Share of YaRN's mixture: 0 is linear interpolation for every pair, 1 is YaRN.</summary>
    public float YarnShare { get; init; }

    /// <summary>Turns within <see cref="OriginalContext"/> above which YaRN leaves a pair alone.</summary>
    public float BetaFast { get; init; } = DefaultBetaFast;

    /// <summary>Turns within <see cref="OriginalContext"/> below which YaRN divides a pair's frequency by the whole factor.</summary>
    public float BetaSlow { get; init; } = DefaultBetaSlow;

    /// <summary>Positions of the first training; 0 when the model does not say.</summary>
    public int OriginalContext { get; init; }

    /// <summary>Multiplies cosines and sines, of queries and keys alike: attention's temperature at the longer context.</summary>
    public float Magnitude { get; init; } = 1;
}
