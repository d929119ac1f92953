namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>How a tensor's numbers are stored, with the numbers ggml gives them in a GGUF file.</summary>
/// <remarks>Source: the GGUF specification, <c>ggml/docs/gguf.md</c>.</remarks>
public enum GgmlType
{
    /// <summary>IEEE 754 binary32, 4 bytes an element.</summary>
    F32 = 0,

    /// <summary>IEEE 754 binary16, 2 bytes an element.</summary>
    F16 = 1,

    /// <summary>Blocks of 32: one binary16 scale, then 16 bytes of nibbles; element j is the low nibble of byte j, element j + 16 the high one; value = scale · (nibble − 8). 18 bytes.</summary>
    Q4_0 = 2,

    /// <summary>Blocks of 32: one binary16 scale, then 32 signed bytes; value = scale · byte. 34 bytes.</summary>
    Q8_0 = 8,
}
