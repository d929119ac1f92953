namespace KwaaiNet.CandelEngine.Safetensors;

/// <summary>How the numbers of a safetensors tensor are stored. All of them can be read about; <see cref="F32"/>, <see cref="F16"/> and <see cref="BF16"/> can be run.</summary>
/// <remarks>Source: <c>enum Dtype</c> of the safetensors library, <c>safetensors/src/tensor.rs</c>.</remarks>
public enum SafetensorsType
{
    /// <summary>IEEE 754 binary32.</summary>
    F32,

    /// <summary>IEEE 754 binary16.</summary>
    F16,

    /// <summary>The upper half of a binary32.</summary>
    BF16,

    /// <summary>IEEE 754 binary64.</summary>
    F64,

    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>Unsigned, 8 bits.</summary>
    U8,

    /// <summary>Signed, 8 bits.</summary>
    I8,

    /// <summary>Unsigned, 16 bits.</summary>
    U16,

    /// <summary>Signed, 16 bits.</summary>
    I16,

    /// <summary>Unsigned, 32 bits.</summary>
    U32,

    /// <summary>Signed, 32 bits.</summary>
    I32,

    /// <summary>Unsigned, 64 bits.</summary>
    U64,

    /// <summary>Signed, 64 bits.</summary>
    I64,

    /// <summary>Two binary32: a complex number.</summary>
    C64,

    /// <summary>8 bits: 4 of exponent, 3 of mantissa.</summary>
    F8_E4M3,

    /// <summary>8 bits: 5 of exponent, 2 of mantissa.</summary>
    F8_E5M2,

    /// <summary>8 bits of exponent only.</summary>
    F8_E8M0,

    /// <summary>6 bits: 2 of exponent, 3 of mantissa.</summary>
    F6_E2M3,

    /// <summary>6 bits: 3 of exponent, 2 of mantissa.</summary>
    F6_E3M2,

    /// <summary>4 bits, two a byte.</summary>
    F4,
}
