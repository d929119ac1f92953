using System.Globalization;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>One metadata value with the type the file gives it.</summary>
public readonly struct GgufValue
{
    private readonly ulong _bits;
    private readonly object? _reference;

    internal GgufValue(GgufValueType type, ulong bits)
    {
        Type = type;
        _bits = bits;
    }

    internal GgufValue(string text)
    {
        Type = GgufValueType.String;
        _reference = text;
    }

    internal GgufValue(GgufArray array)
    {
        Type = GgufValueType.Array;
        _reference = array;
    }

    /// <summary>The type the file gives the value.</summary>
    public GgufValueType Type { get; }

    /// <summary>The text, or null when the value is no string.</summary>
    public string? AsString() => _reference as string;

    /// <summary>The array, or null when the value is none.</summary>
    public GgufArray? AsArray() => _reference as GgufArray;

    /// <summary>The truth value, or null when the value is none.</summary>
    public bool? AsBool() => Type == GgufValueType.Bool ? _bits != 0 : null;

    /// <summary>The value of any integer type, or null when it is no integer or does not fit 64 bits with sign.</summary>
    public long? AsInteger() => Type switch
    {
        GgufValueType.UInt8 or GgufValueType.UInt16 or GgufValueType.UInt32 => (long)_bits,
        GgufValueType.Int8 => (sbyte)_bits,
        GgufValueType.Int16 => (short)_bits,
        GgufValueType.Int32 => (int)_bits,
        GgufValueType.Int64 => (long)_bits,
        GgufValueType.UInt64 when _bits <= long.MaxValue => (long)_bits,
        _ => null,
    };

    /// <summary>The value of any number type, or null when it is no number. Integers beyond 2^53 are rounded.</summary>
    public double? AsNumber() => Type switch
    {
        GgufValueType.Float32 => BitConverter.UInt32BitsToSingle((uint)_bits),
        GgufValueType.Float64 => BitConverter.UInt64BitsToDouble(_bits),
        GgufValueType.UInt64 => _bits,
        _ => AsInteger(),
    };

    /// <summary>The value as a person would read it; an array gives its type and length.</summary>
    public override string ToString() => Type switch
    {
        GgufValueType.String => AsString()!,
        GgufValueType.Array => AsArray()!.ToString(),
        GgufValueType.Bool => _bits != 0 ? "true" : "false",
        GgufValueType.UInt64 => _bits.ToString(CultureInfo.InvariantCulture),
        GgufValueType.Float32 or GgufValueType.Float64 => AsNumber()!.Value.ToString(CultureInfo.InvariantCulture),
        _ => AsInteger()!.Value.ToString(CultureInfo.InvariantCulture),
    };

    internal ModelFormatException WrongType(string path, string key, string wanted) =>
        new($"{path}: the metadata value '{key}' is {Type} ({this}); it should be {wanted}. The file was written wrongly: take another conversion of the model.");
}
