using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.ModelLab.Conversion;

/// <summary>Copies one metadata value from a file to another, type and all.</summary>
internal static class MetadataCopy
{
    /// <summary>Adds the value of a key.</summary>
    /// <exception cref="NotSupportedException">It is an array of a type that model files do not use.</exception>
    public static void Add(GgufWriter writer, GgufMetadata metadata, string key)
    {
        if (!metadata.TryGetValue(key, out GgufValue value))
            return;
        switch (value.Type)
        {
            case GgufValueType.String: writer.Add(key, value.AsString()!); break;
            case GgufValueType.Bool: writer.Add(key, value.AsBool()!.Value); break;
            case GgufValueType.Float32: writer.Add(key, (float)value.AsNumber()!.Value); break;
            case GgufValueType.Float64: writer.Add(key, value.AsNumber()!.Value); break;
            case GgufValueType.Array: AddArray(writer, key, value.AsArray()!); break;
            case GgufValueType.UInt8: writer.Add(key, (byte)value.AsInteger()!.Value); break;
            case GgufValueType.Int8: writer.Add(key, (sbyte)value.AsInteger()!.Value); break;
            case GgufValueType.UInt16: writer.Add(key, (ushort)value.AsInteger()!.Value); break;
            case GgufValueType.Int16: writer.Add(key, (short)value.AsInteger()!.Value); break;
            case GgufValueType.UInt32: writer.Add(key, (uint)value.AsInteger()!.Value); break;
            case GgufValueType.Int32: writer.Add(key, (int)value.AsInteger()!.Value); break;
            case GgufValueType.UInt64: writer.Add(key, (ulong)value.AsInteger()!.Value); break;
            case GgufValueType.Int64: writer.Add(key, value.AsInteger()!.Value); break;
            default: throw new NotSupportedException($"The value of '{key}' has a type that is not copied: {value}.");
        }
    }

    private static void AddArray(GgufWriter writer, string key, GgufArray array)
    {
        switch (array.ElementType)
        {
            case GgufValueType.String: writer.AddArray(key, array.ToStrings()); break;
            case GgufValueType.Float32: writer.AddArray<float>(key, array.ToSingles()); break;
            case GgufValueType.Int32: writer.AddArray<int>(key, array.ToInt32s()); break;
            case GgufValueType.UInt32: writer.AddArray<uint>(key, MemoryMarshal.Cast<int, uint>(array.ToInt32s())); break;
            default: throw new NotSupportedException($"The array '{key}' has a type that is not copied: {array}.");
        }
    }
}
