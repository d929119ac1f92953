namespace KwaaiNet.CandelEngine.Tensors;

/// <summary>How many elements and bytes make one block of a <see cref="GgmlType"/>: a row is a whole number of blocks.</summary>
public static class GgmlTypeLayout
{
    /// <summary>Elements in one block; 1 where every element stands alone.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is none of <see cref="GgmlType"/>'s.</exception>
    public static int BlockLength(this GgmlType type) => type switch
    {
        GgmlType.F32 or GgmlType.F16 or GgmlType.BF16 => 1,
        GgmlType.Q4_0 or GgmlType.Q4_1 or GgmlType.Q5_0 or GgmlType.Q5_1 or GgmlType.Q8_0 or GgmlType.IQ4_NL or GgmlType.MXFP4 => 32,
        GgmlType.Q2_K or GgmlType.Q3_K or GgmlType.Q4_K or GgmlType.Q5_K or GgmlType.Q6_K => 256,
        GgmlType.IQ1_S or GgmlType.IQ1_M or GgmlType.IQ2_XXS or GgmlType.IQ2_XS or GgmlType.IQ2_S or GgmlType.IQ3_XXS or GgmlType.IQ3_S or GgmlType.IQ4_XS => 256,
        GgmlType.TQ1_0 or GgmlType.TQ2_0 => 256,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a tensor type this engine knows."),
    };

    /// <summary>Bytes in one block.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The type is none of <see cref="GgmlType"/>'s.</exception>
    public static int BlockBytes(this GgmlType type) => type switch
    {
        GgmlType.F32 => 4,
        GgmlType.F16 or GgmlType.BF16 => 2,
        GgmlType.Q4_0 or GgmlType.IQ4_NL => 18,
        GgmlType.Q4_1 => 20,
        GgmlType.Q5_0 => 22,
        GgmlType.Q5_1 => 24,
        GgmlType.Q8_0 => 34,
        GgmlType.MXFP4 => 17,
        GgmlType.Q2_K => 84,
        GgmlType.Q3_K or GgmlType.IQ3_S => 110,
        GgmlType.Q4_K => 144,
        GgmlType.Q5_K => 176,
        GgmlType.Q6_K => 210,
        GgmlType.IQ1_S => 50,
        GgmlType.IQ1_M => 56,
        GgmlType.IQ2_XXS or GgmlType.TQ2_0 => 66,
        GgmlType.IQ2_XS => 74,
        GgmlType.IQ2_S => 82,
        GgmlType.IQ3_XXS => 98,
        GgmlType.IQ4_XS => 136,
        GgmlType.TQ1_0 => 54,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a tensor type this engine knows."),
    };
}
