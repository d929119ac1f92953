namespace KwaaiNet.CandelEngine.Tensors;

/// <summary>How a tensor's numbers are stored, with the numbers ggml gives them in a GGUF file.</summary>
/// <remarks>
/// Sources: the GGUF specification, <c>ggml/docs/gguf.md</c>, for the numbers; <c>ggml/src/ggml-common.h</c> and
/// <c>dequantize_row_*</c> in <c>ggml/src/ggml-quants.c</c> for the blocks. Fields are named in the order of their bytes; everything is
/// little-endian; <c>f16</c> is a binary16. What a field's bits mean stands above the format's decoder in
/// <c>KwaaiNet.CandelEngine/Quantization</c>.
/// </remarks>
public enum GgmlType
{
    /// <summary>IEEE 754 binary32, 4 bytes an element.</summary>
    F32 = 0,

    /// <summary>IEEE 754 binary16, 2 bytes an element.</summary>
    F16 = 1,

    /// <summary>Blocks of 32: one binary16 scale, then 16 bytes of nibbles; element j is the low nibble of byte j, element j + 16 the high one; value = scale · (nibble − 8). 18 bytes.</summary>
    Q4_0 = 2,

    /// <summary>Blocks of 32: f16 scale, f16 minimum, 16 bytes of nibbles as in <see cref="Q4_0"/>; value = scale · nibble + minimum. 20 bytes.</summary>
    Q4_1 = 3,

    /// <summary>Blocks of 32: f16 scale, 32 fifth bits (bit j belongs to element j), 16 bytes of nibbles as in <see cref="Q4_0"/>; value = scale · (five bits − 16). 22 bytes.</summary>
    Q5_0 = 6,

    /// <summary>Blocks of 32: f16 scale, f16 minimum, 32 fifth bits, 16 bytes of nibbles; value = scale · five bits + minimum. 24 bytes.</summary>
    Q5_1 = 7,

    /// <summary>Blocks of 32: one binary16 scale, then 32 signed bytes; value = scale · byte. 34 bytes.</summary>
    Q8_0 = 8,

    /// <summary>Blocks of 256 in 16 groups: 16 bytes of a group's 4-bit scale and 4-bit minimum, 64 bytes of 2-bit numbers, f16 d, f16 dmin; value = d · scale · number − dmin · minimum. 84 bytes.</summary>
    Q2_K = 10,

    /// <summary>Blocks of 256 in 16 groups: 32 bytes of third bits, 64 bytes of 2-bit numbers, 12 bytes of sixteen 6-bit scales, f16 d; value = d · (scale − 32) · (three bits − 4). 110 bytes.</summary>
    Q3_K = 11,

    /// <summary>Blocks of 256 in 8 groups: f16 d, f16 dmin, 12 bytes of eight 6-bit scales and eight 6-bit minima, 128 bytes of nibbles; value = d · scale · nibble − dmin · minimum. 144 bytes.</summary>
    Q4_K = 12,

    /// <summary>As <see cref="Q4_K"/> with 32 bytes of fifth bits before the nibbles. 176 bytes.</summary>
    Q5_K = 13,

    /// <summary>Blocks of 256 in 16 groups: 128 bytes of low nibbles, 64 bytes of upper bit pairs, 16 signed 8-bit scales, f16 d; value = d · scale · (six bits − 32). 210 bytes.</summary>
    Q6_K = 14,

    /// <summary>Blocks of 256 in groups of 32: f16 d, then for each group four bytes that number points of a grid in eight dimensions and a 32-bit word of four 7-bit sign patterns and a 4-bit scale; value = d · (scale + ½) / 4 · ±grid. 66 bytes.</summary>
    IQ2_XXS = 16,

    /// <summary>Blocks of 256 in groups of 16: f16 d, 32 words of a 9-bit grid point in eight dimensions and a 7-bit sign pattern, 8 bytes of two 4-bit scales; value as in <see cref="IQ2_XXS"/>. 74 bytes.</summary>
    IQ2_XS = 17,

    /// <summary>Blocks of 256 in groups of 32: f16 d, 64 bytes that number points of a grid in four dimensions, then for each group a 32-bit word of four 7-bit sign patterns and a 4-bit scale; value = d · (scale + ½) / 2 · ±grid. 98 bytes.</summary>
    IQ3_XXS = 18,

    /// <summary>Blocks of 256 in groups of 32: f16 d, 32 low bytes of grid points in eight dimensions, for each group a 16-bit word of the points' upper bits, a 3-bit scale and the sign of a shift; value = d · (2 · scale + 1) · (grid ± ⅛). 50 bytes.</summary>
    IQ1_S = 19,

    /// <summary>Blocks of 32: f16 scale, 16 bytes of nibbles as in <see cref="Q4_0"/>; value = scale · table[nibble], a table of 16 unevenly spaced integers. 18 bytes.</summary>
    IQ4_NL = 20,

    /// <summary>Blocks of 256 in groups of 32: f16 d, 64 low bytes and 8 bytes of ninth bits of grid points in four dimensions, 32 bytes of signs, 4 bytes of two 4-bit scales; value = d · (2 · scale + 1) · ±grid. 110 bytes.</summary>
    IQ3_S = 21,

    /// <summary>Blocks of 256 in groups of 16: f16 d, 32 low bytes of grid points in eight dimensions, 32 bytes of signs, 8 bytes of the points' upper bit pairs, 8 bytes of two 4-bit scales; value as in <see cref="IQ2_XXS"/>. 82 bytes.</summary>
    IQ2_S = 22,

    /// <summary>Blocks of 256 in groups of 32: f16 d, 16 bits and 4 bytes of eight 6-bit scales, 128 bytes of nibbles; value = d · (scale − 32) · table[nibble], the table of <see cref="IQ4_NL"/>. 136 bytes.</summary>
    IQ4_XS = 23,

    /// <summary>Blocks of 256 in groups of 16: 32 low bytes of grid points in eight dimensions, 16 bytes of their upper bits and the signs of their shifts, 8 bytes of 3-bit scales and the pieces of an f16 d; value as in <see cref="IQ1_S"/>. 56 bytes.</summary>
    IQ1_M = 29,

    /// <summary>bfloat16: the upper half of a binary32, 2 bytes an element.</summary>
    BF16 = 30,

    /// <summary>Blocks of 256: 52 bytes of ternary digits, five in a byte, f16 scale; value = scale · (digit − 1). 54 bytes.</summary>
    TQ1_0 = 34,

    /// <summary>Blocks of 256: 64 bytes of 2-bit numbers, f16 scale; value = scale · (number − 1). 66 bytes.</summary>
    TQ2_0 = 35,

    /// <summary>Blocks of 32 of the OCP Microscaling format: one byte e, 16 bytes of nibbles as in <see cref="Q4_0"/>, each an E2M1 number; value = 2^(e − 127) · number. 17 bytes.</summary>
    MXFP4 = 39,
}
