namespace KwaaiNet.ModelLab.Synthesis;

/// <summary>What a synthetic tensor's numbers are.</summary>
internal enum SyntheticFill
{
    /// <summary>Normal about 0.</summary>
    Normal,

    /// <summary>A norm's weights: 0.5 to 1.5.</summary>
    Norm,

    /// <summary>Given.</summary>
    Given,
}
