namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>How many elements and bytes make one block of a <see cref="GgmlType"/>: a row is a whole number of blocks.</summary>
public static class GgmlTypeLayout
{
    /// <summary>Elements in one block; 1 where every element stands alone.</summary>
    public static int BlockLength(this GgmlType type) => type switch
    {
        GgmlType.F32 or GgmlType.F16 => 1,
        GgmlType.Q4_0 or GgmlType.Q8_0 => 32,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a tensor type this engine knows."),
    };

    /// <summary>Bytes in one block.</summary>
    public static int BlockBytes(this GgmlType type) => type switch
    {
        GgmlType.F32 => 4,
        GgmlType.F16 => 2,
        GgmlType.Q4_0 => 18,
        GgmlType.Q8_0 => 34,
        _ => throw new ArgumentOutOfRangeException(nameof(type), type, "Not a tensor type this engine knows."),
    };
}
