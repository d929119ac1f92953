namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>The type tag before a metadata value in a GGUF file.</summary>
/// <remarks>Source: the GGUF specification, <c>ggml/docs/gguf.md</c>, <c>gguf_metadata_value_type</c>.</remarks>
public enum GgufValueType : uint
{
    /// <summary>Unsigned 8-bit integer.</summary>
    UInt8 = 0,
    /// <summary>Signed 8-bit integer.</summary>
    Int8 = 1,
    /// <summary>Unsigned 16-bit integer.</summary>
    UInt16 = 2,
    /// <summary>Signed 16-bit integer.</summary>
    Int16 = 3,
    /// <summary>Unsigned 32-bit integer.</summary>
    UInt32 = 4,
    /// <summary>Signed 32-bit integer.</summary>
    Int32 = 5,
    /// <summary>IEEE 754 binary32.</summary>
    Float32 = 6,
    /// <summary>One byte, 0 or 1; anything else makes the file invalid.</summary>
    Bool = 7,
    /// <summary>64-bit length, then that many bytes of UTF-8, not terminated.</summary>
    String = 8,
    /// <summary>Element type, 64-bit count, then the elements.</summary>
    Array = 9,
    /// <summary>Unsigned 64-bit integer.</summary>
    UInt64 = 10,
    /// <summary>Signed 64-bit integer.</summary>
    Int64 = 11,
    /// <summary>IEEE 754 binary64.</summary>
    Float64 = 12,
}
