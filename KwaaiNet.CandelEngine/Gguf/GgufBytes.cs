using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>Reads a header of which only the first bytes are here: what is not here yet is no error, what cannot be is.</summary>
internal ref struct GgufBytes(ReadOnlySpan<byte> bytes, string name)
{
    // Far above any real model, as in GgufHeaderReader.
    private const int MaximumCount = 1 << 16;
    private const int MaximumTextLength = 1 << 24;
    private const int MaximumArrayDepth = 4;
    private const int MaximumDimensions = 4;

    private readonly ReadOnlySpan<byte> _bytes = bytes;

    public int Position { get; private set; }

    public readonly bool Has(long count) => count <= _bytes.Length - Position;

    public ReadOnlySpan<byte> Take(int count)
    {
        ReadOnlySpan<byte> taken = _bytes.Slice(Position, count);
        Position += count;
        return taken;
    }

    public uint UInt32() => BinaryPrimitives.ReadUInt32LittleEndian(Take(sizeof(uint)));

    public ulong UInt64() => BinaryPrimitives.ReadUInt64LittleEndian(Take(sizeof(ulong)));

    public int Count(string what)
    {
        ulong count = UInt64();
        return count <= MaximumCount ? (int)count : throw Problem($"the header says {count} {what}; at most {MaximumCount} are allowed");
    }

    public bool TryString([NotNullWhen(true)] out string? text)
    {
        text = null;
        if (!Has(sizeof(ulong))) return false;
        ulong length = UInt64();
        if (length > MaximumTextLength) throw Problem($"a string of {length} bytes at byte {Position}; at most {MaximumTextLength} are allowed");
        if (!Has((long)length)) return false;
        text = Encoding.UTF8.GetString(Take((int)length));
        return true;
    }

    /// <summary>Reads a value and, unless it is an array, keeps it.</summary>
    public bool TryValue(string key, Dictionary<string, GgufValue> values)
    {
        if (!Has(sizeof(uint))) return false;
        var type = (GgufValueType)UInt32();
        GgufValue value;
        if (type == GgufValueType.String)
        {
            if (!TryString(out string? text)) return false;
            value = new GgufValue(text);
        }
        else if (type == GgufValueType.Array)
        {
            return TrySkipArray(key, 1);
        }
        else
        {
            int size = SizeOf(type, key);
            if (!Has(size)) return false;
            ulong bits = 0;
            ReadOnlySpan<byte> number = Take(size);
            for (int i = 0; i < size; i++) bits |= (ulong)number[i] << (8 * i);
            value = new GgufValue(type, bits);
        }

        if (!values.TryAdd(key, value)) throw Problem($"the metadata key '{key}' is there twice");
        return true;
    }

    /// <summary>Reads a tensor's description; its offset is counted from the start of tensor data. Null: it goes on beyond the bytes that are here.</summary>
    public GgufTensorPlace? TryTensor(int alignment)
    {
        if (!TryString(out string? tensor) || !Has(sizeof(uint))) return null;
        uint dimensions = UInt32();
        if (dimensions is 0 or > MaximumDimensions) throw Problem($"tensor '{tensor}' has {dimensions} dimensions; there are 1 to {MaximumDimensions}");
        if (!Has((dimensions * sizeof(ulong)) + sizeof(uint) + sizeof(ulong))) return null;
        long[] shape = new long[dimensions];
        UInt128 elements = 1;
        for (int i = 0; i < shape.Length; i++)
        {
            ulong length = UInt64();
            if (length is 0 or > int.MaxValue) throw Problem($"tensor '{tensor}' has a dimension of length {length}");
            shape[i] = (long)length;
            elements *= length;
        }

        uint type = UInt32();
        ulong offset = UInt64();
        if (!GgmlTypeNames.IsSupported(type))
            throw new ModelFormatException($"{name}: tensor '{tensor}' is stored as {GgmlTypeNames.NameOf(type)}; this engine runs {GgmlTypeNames.Supported}. Take another conversion of the model.");
        UInt128 size = elements / (UInt128)((GgmlType)type).BlockLength() * (UInt128)((GgmlType)type).BlockBytes();
        if (shape[0] % ((GgmlType)type).BlockLength() != 0 || offset % (ulong)alignment != 0 || size > long.MaxValue / 4 || offset > long.MaxValue / 4)
            throw Problem($"tensor '{tensor}' has a shape, a type and an offset that do not go together");
        return new GgufTensorPlace(tensor, shape, (GgmlType)type, (long)offset, (long)size);
    }

    public readonly ModelFormatException Problem(string problem) => new($"{name}: {problem}. The file is damaged or was written wrongly: take another conversion of the model.");

    private bool TrySkipArray(string key, int depth)
    {
        if (depth > MaximumArrayDepth) throw Problem($"the metadata value '{key}' nests arrays more than {MaximumArrayDepth} deep");
        if (!Has(sizeof(uint) + sizeof(ulong))) return false;
        var type = (GgufValueType)UInt32();
        ulong count = UInt64();
        if (count > int.MaxValue) throw Problem($"the metadata value '{key}' is an array of {count} elements");
        if (type is not (GgufValueType.String or GgufValueType.Array))
        {
            long size = SizeOf(type, key) * (long)count;
            if (!Has(size)) return false;
            Position += (int)size;
            return true;
        }

        for (ulong i = 0; i < count; i++)
        {
            if (type == GgufValueType.Array)
            {
                if (!TrySkipArray(key, depth + 1)) return false;
                continue;
            }

            if (!Has(sizeof(ulong))) return false;
            ulong length = UInt64();
            if (length > MaximumTextLength) throw Problem($"the metadata value '{key}' has a string of {length} bytes");
            if (!Has((long)length)) return false;
            Position += (int)length;
        }

        return true;
    }

    private readonly int SizeOf(GgufValueType type, string key) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 => 8,
        _ => throw Problem($"the metadata value '{key}' has the type {(uint)type}, which GGUF does not define"),
    };
}
