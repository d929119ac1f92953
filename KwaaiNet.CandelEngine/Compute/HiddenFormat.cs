namespace KwaaiNet.CandelEngine.Compute;

/// <summary>The numbers in which hidden states cross from block to block, on the wire and inside a stack alike.</summary>
/// <remarks>
/// Rounding after every block, also where nothing is sent, makes the result independent of where the chain is cut.
/// Inside a block the residual stays float32.
/// </remarks>
public enum HiddenFormat
{
    /// <summary>float32: nothing is rounded. 4 bytes a number.</summary>
    F32 = 0,

    /// <summary>IEEE 754 binary16, round to nearest even, values beyond ±65504 saturate. 2 bytes a number.</summary>
    F16 = 1,
}
