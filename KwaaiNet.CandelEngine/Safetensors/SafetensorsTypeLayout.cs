namespace KwaaiNet.CandelEngine.Safetensors;

/// <summary>Sizes and names of <see cref="SafetensorsType"/>.</summary>
public static class SafetensorsTypeLayout
{
    private static readonly (SafetensorsType Type, string Name, int Bits)[] s_types =
    [
        (SafetensorsType.F32, "F32", 32), (SafetensorsType.F16, "F16", 16), (SafetensorsType.BF16, "BF16", 16), (SafetensorsType.F64, "F64", 64),
        (SafetensorsType.Bool, "BOOL", 8), (SafetensorsType.U8, "U8", 8), (SafetensorsType.I8, "I8", 8),
        (SafetensorsType.U16, "U16", 16), (SafetensorsType.I16, "I16", 16), (SafetensorsType.U32, "U32", 32), (SafetensorsType.I32, "I32", 32),
        (SafetensorsType.U64, "U64", 64), (SafetensorsType.I64, "I64", 64), (SafetensorsType.C64, "C64", 64),
        (SafetensorsType.F8_E4M3, "F8_E4M3", 8), (SafetensorsType.F8_E5M2, "F8_E5M2", 8), (SafetensorsType.F8_E8M0, "F8_E8M0", 8),
        (SafetensorsType.F6_E2M3, "F6_E2M3", 6), (SafetensorsType.F6_E3M2, "F6_E3M2", 6), (SafetensorsType.F4, "F4", 4),
    ];

    /// <summary>Bits of one element.</summary>
    public static int Bits(this SafetensorsType type) => Find(type).Bits;

    /// <summary>The name a file's header writes.</summary>
    public static string HeaderName(this SafetensorsType type) => Find(type).Name;

    /// <summary>The type of a name in a header; false for a name the format does not define.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out SafetensorsType type)
    {
        foreach ((SafetensorsType known, string text, _) in s_types)
        {
            if (System.Text.Ascii.Equals(name, text))
            {
                type = known;
                return true;
            }
        }

        type = default;
        return false;
    }

    private static (SafetensorsType Type, string Name, int Bits) Find(SafetensorsType type)
    {
        foreach ((SafetensorsType Type, string Name, int Bits) entry in s_types)
        {
            if (entry.Type == type)
                return entry;
        }

        throw new ArgumentOutOfRangeException(nameof(type), type, "Not a type that safetensors defines.");
    }
}
