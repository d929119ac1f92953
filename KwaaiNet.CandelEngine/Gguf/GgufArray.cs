using System.Buffers.Binary;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Gguf;

/// <summary>An array in a file's metadata, left where it is until it is asked for: a vocabulary is large, and a shard in the middle of a chain needs none.</summary>
/// <remarks>Checked against the file's end when the file was opened. Readable until the file is closed.</remarks>
public sealed class GgufArray
{
    private readonly GgufMapping _mapping;
    private readonly string _path;
    private readonly string _key;
    private readonly long _position;

    internal GgufArray(GgufMapping mapping, string path, string key, GgufValueType elementType, int count, long position)
    {
        _mapping = mapping;
        _path = path;
        _key = key;
        _position = position;
        ElementType = elementType;
        Count = count;
    }

    /// <summary>The type of every element.</summary>
    public GgufValueType ElementType { get; }

    /// <summary>Number of elements.</summary>
    public int Count { get; }

    /// <summary>Reads an array of strings.</summary>
    /// <exception cref="ModelFormatException">The elements are no strings, or one is not UTF-8.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public string[] ToStrings()
    {
        if (ElementType != GgufValueType.String)
            throw WrongType("strings");
        string[] values = new string[Count];
        GgufCursor cursor = new(_mapping, _path, _position);
        for (int i = 0; i < values.Length; i++)
            values[i] = cursor.ReadString(_key, int.MaxValue);
        return values;
    }

    /// <summary>Reads an array of 32-bit integers, signed or not.</summary>
    /// <exception cref="ModelFormatException">The elements are something else, or one is beyond a signed 32-bit integer.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public int[] ToInt32s()
    {
        if (ElementType is not (GgufValueType.Int32 or GgufValueType.UInt32))
            throw WrongType("32-bit integers");
        int[] values = new int[Count];
        GgufCursor cursor = new(_mapping, _path, _position);
        for (int i = 0; i < values.Length; i++)
        {
            values[i] = unchecked((int)cursor.ReadUInt32(_key));
            if (values[i] < 0 && ElementType == GgufValueType.UInt32)
                throw WrongType("integers below 2^31");
        }

        return values;
    }

    /// <summary>Reads an array of float32.</summary>
    /// <exception cref="ModelFormatException">The elements are something else.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public float[] ToSingles()
    {
        if (ElementType != GgufValueType.Float32)
            throw WrongType("32-bit floating point numbers");
        float[] values = new float[Count];
        GgufCursor cursor = new(_mapping, _path, _position);
        for (int i = 0; i < values.Length; i++)
            values[i] = BinaryPrimitives.ReadSingleLittleEndian(cursor.Take(4, _key));
        return values;
    }

    /// <summary>Reads an array of truth values.</summary>
    /// <exception cref="ModelFormatException">The elements are something else.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public bool[] ToBooleans()
    {
        if (ElementType != GgufValueType.Bool)
            throw WrongType("truth values");
        bool[] values = new bool[Count];
        GgufCursor cursor = new(_mapping, _path, _position);
        for (int i = 0; i < values.Length; i++)
            values[i] = cursor.Take(1, _key)[0] != 0;
        return values;
    }

    /// <summary>Reads an array of bytes, signed or not.</summary>
    /// <exception cref="ModelFormatException">The elements are something else.</exception>
    /// <exception cref="ObjectDisposedException">The file is closed.</exception>
    public byte[] ToBytes()
    {
        if (ElementType is not (GgufValueType.Int8 or GgufValueType.UInt8))
            throw WrongType("bytes");
        return new GgufCursor(_mapping, _path, _position).Take(Count, _key).ToArray();
    }

    /// <summary>Type and length, such as <c>String[32000]</c>.</summary>
    public override string ToString() => $"{ElementType}[{Count}]";

    private ModelFormatException WrongType(string wanted) =>
        new($"{_path}: the metadata array '{_key}' is {this}; it should hold {wanted}. The file was written wrongly: take another conversion of the model.");
}
