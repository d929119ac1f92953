namespace KwaaiNet.CandelEngine.Compute;

/// <summary>How keys and values of past positions are kept.</summary>
/// <remarks>A backend that does not have a format keeps a more exact one; <see cref="IBlockStack.KvBytesPerBlockPosition"/> says what a position takes.</remarks>
public enum KvFormat
{
    /// <summary>float32, as computed.</summary>
    F32,

    /// <summary>binary16, to nearest even, beyond ±65504 saturating: half the memory, and half of what attention has to read.</summary>
    F16,

    /// <summary>Signed bytes with a binary16 scale for 32 numbers of a head, as Q8_0: a quarter of the memory, and a loss that long contexts show. Heads that are no multiple of 32 are kept as <see cref="F16"/>.</summary>
    Q8,
}
