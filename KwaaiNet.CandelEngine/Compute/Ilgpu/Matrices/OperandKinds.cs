namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;

/// <summary>The forms in which products take activations. An operand holds one or more, since matrices of different types may share it.</summary>
[Flags]
internal enum OperandKinds
{
    /// <summary>No form.</summary>
    None = 0,

    /// <summary>Signed bytes with a scale and a sum per 32: for Q4_0, Q4_K, Q5_K and Q6_K.</summary>
    Bytes = 1,

    /// <summary>16-bit integers as a signed upper and an unsigned lower byte, with a scale per 32: for Q8_0, Q5_0 and IQ4_NL.</summary>
    Shorts = 2,

    /// <summary>A binary16 and the binary16 of what it leaves: for F16.</summary>
    Halves = 4,

    /// <summary>A bfloat16 and the bfloat16 of what it leaves: for BF16.</summary>
    Brains = 8,

    /// <summary>float32: for F32, and types that are decoded to it.</summary>
    Singles = 16,
}
