using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.Fuzz.Seeds;

// "GGUF"  u32 version  u64 tensors  u64 metadata;  metadata: string key, u32 type, value;  tensor: string name, u32 dimensions, u64 each, u32 type, u64 offset

/// <summary>Finds where a valid GGUF file says versions, counts, lengths, types and offsets.</summary>
internal ref struct GgufFields(ReadOnlySpan<byte> file)
{
    // A vocabulary's thousandth string says nothing that its first ones did not.
    private const int MostPerArray = 8;

    private readonly ReadOnlySpan<byte> _file = file;
    private readonly List<int> _fields = [];
    private int _at;

    /// <summary>The places, in file order.</summary>
    public static IReadOnlyList<int> Find(ReadOnlySpan<byte> file)
    {
        GgufFields fields = new(file);
        fields.Walk();
        return fields._fields;
    }

    private void Walk()
    {
        _fields.AddRange([0, 4, 8, 16]);
        _at = 24;
        ulong tensors = BinaryPrimitives.ReadUInt64LittleEndian(_file[8..]);
        ulong values = BinaryPrimitives.ReadUInt64LittleEndian(_file[16..]);
        for (ulong i = 0; i < values; i++)
        {
            String();
            Value((GgufValueType)UInt32());
        }

        for (ulong i = 0; i < tensors; i++)
        {
            String();
            for (uint dimensions = UInt32(); dimensions > 0; dimensions--)
                UInt64();
            UInt32();
            UInt64();
        }
    }

    private uint UInt32()
    {
        _fields.Add(_at);
        _at += 4;
        return BinaryPrimitives.ReadUInt32LittleEndian(_file[(_at - 4)..]);
    }

    private ulong UInt64()
    {
        _fields.Add(_at);
        _at += 8;
        return BinaryPrimitives.ReadUInt64LittleEndian(_file[(_at - 8)..]);
    }

    private void String()
    {
        int length = (int)UInt64();
        _at += length;
    }

    private void Value(GgufValueType type)
    {
        switch (type)
        {
            case GgufValueType.String:
                String();
                break;
            case GgufValueType.Array:
                GgufValueType element = (GgufValueType)UInt32();
                int count = (int)UInt64();
                int kept = 0;
                for (int i = 0; i < count; i++)
                {
                    Value(element);
                    if (i < MostPerArray)
                        kept = _fields.Count;
                    else
                        _fields.RemoveRange(kept, _fields.Count - kept);
                }

                break;
            default:
                _fields.Add(_at);
                _at += type switch
                {
                    GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
                    GgufValueType.UInt16 or GgufValueType.Int16 => 2,
                    GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 => 8,
                    _ => 4,
                };
                break;
        }
    }
}
