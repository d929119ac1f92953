using System.Buffers.Binary;
using System.Numerics;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Gguf;

// The file, version 2 or 3, all little-endian (ggml/docs/gguf.md; version 3 only added that a file may be big-endian):
//
//   "GGUF"  u32 version  u64 tensor count  u64 metadata count
//   metadata, each:      string key   u32 value type   value
//   tensor infos, each:  string name  u32 dimensions   u64 length of each dimension   u32 ggml type   u64 offset
//   zeros up to a multiple of general.alignment (32 unless the metadata says otherwise)
//   tensor data:         each tensor at its offset, counted from the start of this part
//
//   a string is  u64 bytes  UTF-8;  an array is  u32 element type  u64 count  elements;  a bool is one byte.
//   The first dimension is the contiguous one: a matrix of R rows and C columns says [C, R].

/// <summary>Reads a GGUF header. Nothing in it is believed before it is checked; what it allocates is bounded by the limits below, not by counts in the file.</summary>
internal static unsafe class GgufHeaderReader
{
    private const uint OldestVersion = 2;
    private const uint NewestVersion = 3;
    private const int DefaultAlignment = 32;
    private const int MaximumAlignment = 1 << 20;

    // Far above any real model: a few dozen keys, a few thousand tensors.
    private const int MaximumMetadata = 1 << 16;
    private const int MaximumTensors = 1 << 16;

    // Bytes of a value with an empty key, and of a tensor's description without a name: so many can stand in the rest of a file at most.
    private const int SmallestValue = 13;
    private const int SmallestTensorInfo = 32;

    // The specification's own limits on a key and a tensor's name.
    private const int MaximumKeyLength = ushort.MaxValue;
    private const int MaximumNameLength = 64;
    private const int MaximumDimensions = 4;

    // A chat template is some tens of KiB; the longest licence texts are below 1 MiB.
    private const int MaximumStringLength = 1 << 24;
    private const int MaximumArrayDepth = 4;

    public static (GgufMetadata Metadata, Dictionary<string, TensorData> Tensors) Read(GgufMapping mapping, string path)
    {
        GgufCursor cursor = new(mapping, path);
        (int tensorCount, int metadataCount) = ReadCounts(ref cursor, path);

        Dictionary<string, GgufValue> values = new((int)Math.Min(metadataCount, cursor.Remaining / SmallestValue), StringComparer.Ordinal);
        for (int i = 0; i < metadataCount; i++)
        {
            string key = cursor.ReadString(new GgufItem("the key of metadata value", null, i, metadataCount), MaximumKeyLength);
            if (!values.TryAdd(key, ReadValue(ref cursor, mapping, path, key)))
                cursor.Throw($"the metadata key '{GgufItem.Short(key)}' is there twice");
        }

        GgufMetadata metadata = new(path, values);
        int alignment = ReadAlignment(metadata);
        int room = (int)Math.Min(tensorCount, cursor.Remaining / SmallestTensorInfo);
        Dictionary<string, TensorData> tensors = new(room, StringComparer.Ordinal);
        List<TensorInfo> infos = new(room);
        for (int i = 0; i < tensorCount; i++)
        {
            TensorInfo info = ReadTensorInfo(ref cursor, path, i, tensorCount, alignment);
            if (!tensors.TryAdd(info.Name, default))
                cursor.Throw($"the tensor '{info.Name}' is there twice");
            infos.Add(info);
        }

        // A file of vocabulary only may end without the padding.
        ulong dataStart = ((ulong)cursor.Position + (ulong)alignment - 1) & ~(ulong)(alignment - 1);
        foreach (TensorInfo info in infos)
            tensors[info.Name] = Place(mapping, path, info, dataStart);
        RefuseOverlaps(infos, path);
        return (metadata, tensors);
    }

    private static (int Tensors, int Metadata) ReadCounts(ref GgufCursor cursor, string path)
    {
        if (!cursor.Take(4, "the magic number").SequenceEqual("GGUF"u8))
            throw new ModelFormatException($"{path}: not a GGUF file: it does not start with the letters GGUF. Take the model's .gguf file.");
        uint version = cursor.ReadUInt32("the version");
        if (version > 0xFFFF && BinaryPrimitives.ReverseEndianness(version) <= NewestVersion)
            throw new ModelFormatException($"{path}: a big-endian GGUF file, made for another kind of machine. Take the little-endian conversion of the model.");
        if (version is < OldestVersion or > NewestVersion)
        {
            string remedy = version < OldestVersion ? "Take a newer conversion of the model." : "Update KwaaiNet, or take an older conversion of the model.";
            throw new ModelFormatException($"{path}: GGUF version {version}; this engine reads versions {OldestVersion} and {NewestVersion}. {remedy}");
        }

        ulong tensors = cursor.ReadUInt64("the number of tensors");
        ulong metadata = cursor.ReadUInt64("the number of metadata values");
        if (tensors > MaximumTensors)
            cursor.Throw($"the header says {tensors} tensors; at most {MaximumTensors} are allowed");
        if (metadata > MaximumMetadata)
            cursor.Throw($"the header says {metadata} metadata values; at most {MaximumMetadata} are allowed");
        return ((int)tensors, (int)metadata);
    }

    private static GgufValue ReadValue(ref GgufCursor cursor, GgufMapping mapping, string path, string key)
    {
        GgufItem part = new("the metadata value", key);
        GgufValueType type = (GgufValueType)cursor.ReadUInt32(part);
        switch (type)
        {
            case GgufValueType.String:
                return new GgufValue(cursor.ReadString(part, MaximumStringLength));
            case GgufValueType.Array:
                (GgufValueType elementType, int count) = ReadArrayHead(ref cursor, part);
                GgufArray array = new(mapping, path, key, elementType, count, cursor.Position);
                SkipElements(ref cursor, part, elementType, count, depth: 1);
                return new GgufValue(array);
            case GgufValueType.Bool:
                return new GgufValue(type, ReadBool(ref cursor, part));
            default:
                int size = SizeOf(type);
                if (size == 0)
                    cursor.Throw($"{part} has the type {(uint)type}, which GGUF does not define");
                ulong bits = 0;
                ReadOnlySpan<byte> bytes = cursor.Take(size, part);
                for (int i = 0; i < size; i++)
                    bits |= (ulong)bytes[i] << (8 * i);
                return new GgufValue(type, bits);
        }
    }

    private static byte ReadBool(ref GgufCursor cursor, GgufItem part)
    {
        byte value = cursor.ReadByte(part);
        if (value > 1)
            cursor.Throw($"{part} is a truth value of {value}; only 0 and 1 are");
        return value;
    }

    private static (GgufValueType ElementType, int Count) ReadArrayHead(ref GgufCursor cursor, GgufItem part)
    {
        GgufValueType elementType = (GgufValueType)cursor.ReadUInt32(part);
        ulong count = cursor.ReadUInt64(part);
        int smallest = elementType switch
        {
            GgufValueType.String => sizeof(ulong),
            GgufValueType.Array => sizeof(uint) + sizeof(ulong),
            GgufValueType.Bool => 1,
            _ => SizeOf(elementType),
        };
        if (smallest == 0)
            cursor.Throw($"{part} is an array of the type {(uint)elementType}, which GGUF does not define");
        if (count > (ulong)(cursor.Remaining / smallest) || count > (ulong)Array.MaxLength)
            cursor.Throw($"truncated: {part} says it is an array of {count} elements, and the file has {cursor.Remaining} bytes left");
        return (elementType, (int)count);
    }

    private static void SkipElements(ref GgufCursor cursor, GgufItem part, GgufValueType elementType, int count, int depth)
    {
        switch (elementType)
        {
            case GgufValueType.String:
                for (int i = 0; i < count; i++)
                    cursor.Skip(cursor.ReadUInt64(part), part);
                break;
            case GgufValueType.Bool:
                for (int i = 0; i < count; i++)
                    ReadBool(ref cursor, part);
                break;
            case GgufValueType.Array:
                if (depth == MaximumArrayDepth)
                    cursor.Throw($"{part} nests arrays more than {MaximumArrayDepth} deep");
                for (int i = 0; i < count; i++)
                {
                    (GgufValueType inner, int innerCount) = ReadArrayHead(ref cursor, part);
                    SkipElements(ref cursor, part, inner, innerCount, depth + 1);
                }

                break;
            default:
                cursor.Skip((ulong)SizeOf(elementType) * (ulong)count, part);
                break;
        }
    }

    /// <summary>Bytes of a number; 0 for what is no number.</summary>
    private static int SizeOf(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.UInt64 or GgufValueType.Int64 or GgufValueType.Float64 => 8,
        _ => 0,
    };

    private static int ReadAlignment(GgufMetadata metadata)
    {
        int alignment = metadata.GetInt32("general.alignment") ?? DefaultAlignment;
        if (alignment is < 8 or > MaximumAlignment || !BitOperations.IsPow2(alignment))
            throw metadata.Problem($"the alignment is {alignment}; it must be a power of two from 8 to {MaximumAlignment}. The file is damaged: download it again.");
        return alignment;
    }

    private static TensorInfo ReadTensorInfo(ref GgufCursor cursor, string path, int index, int count, int alignment)
    {
        string name = cursor.ReadString(new GgufItem("the name of tensor", null, index, count), MaximumNameLength);
        GgufItem part = new("the description of tensor", name);
        uint dimensions = cursor.ReadUInt32(part);
        if (dimensions is 0 or > MaximumDimensions)
            cursor.Throw($"tensor '{name}' has {dimensions} dimensions; there are 1 to {MaximumDimensions}");
        ulong columns = 0;
        ulong rows = 1;
        ulong slices = 1;
        for (uint i = 0; i < dimensions; i++)
        {
            ulong length = cursor.ReadUInt64(part);
            if (length is 0 or > int.MaxValue)
                cursor.Throw($"tensor '{name}' has a dimension of length {length}; lengths go from 1 to {int.MaxValue}");
            if (i == 0)
                columns = length;
            else if ((rows *= length) > int.MaxValue)
                cursor.Throw($"tensor '{name}' has more than {int.MaxValue} rows");
            if (i >= 2)
                slices *= length;
        }

        uint type = cursor.ReadUInt32(part);
        ulong offset = cursor.ReadUInt64(part);
        if (!GgmlTypeNames.IsSupported(type))
        {
            throw new ModelFormatException(
                $"{path}: tensor '{name}' is stored as {GgmlTypeNames.NameOf(type)}; this engine runs {GgmlTypeNames.Supported}. Take a conversion of the model in one of these.");
        }

        if (columns % (ulong)((GgmlType)type).BlockLength() != 0)
            cursor.Throw($"tensor '{name}' has rows of {columns} numbers, which is not a whole number of {GgmlTypeNames.NameOf(type)} blocks of {((GgmlType)type).BlockLength()}");
        if (offset % (ulong)alignment != 0)
            cursor.Throw($"tensor '{name}' is at offset {offset}, which is not a multiple of the alignment {alignment}");
        return new TensorInfo(name, (GgmlType)type, (int)rows, (int)columns, (int)slices, offset);
    }

    private static TensorData Place(GgufMapping mapping, string path, TensorInfo info, ulong dataStart)
    {
        // rows, columns < 2^31 and at most 4 bytes a number: below 2^64. Offsets are not bounded yet, so sums are compared by subtraction.
        ulong available = (ulong)mapping.Length > dataStart ? (ulong)mapping.Length - dataStart : 0;
        if (info.Bytes > available || info.Offset > available - info.Bytes)
        {
            throw new ModelFormatException(
                $"{path}: truncated: tensor '{info.Name}' has {info.Bytes} bytes at offset {info.Offset}, and the file has {available} bytes of tensor data. Download it again.");
        }

        return new TensorData(info.Name, info.Type, info.Rows, info.Columns, (nint)(mapping.Start + dataStart + info.Offset), (long)info.Bytes, info.Slices);
    }

    private static void RefuseOverlaps(List<TensorInfo> infos, string path)
    {
        infos.Sort((a, b) => a.Offset.CompareTo(b.Offset));
        for (int i = 1; i < infos.Count; i++)
        {
            if (infos[i - 1].Offset + infos[i - 1].Bytes > infos[i].Offset)
            {
                throw new ModelFormatException(
                    $"{path}: the tensors '{infos[i - 1].Name}' and '{infos[i].Name}' overlap. The file is damaged or was written wrongly: download it again.");
            }
        }
    }

    private readonly record struct TensorInfo(string Name, GgmlType Type, int Rows, int Columns, int Slices, ulong Offset)
    {
        public ulong Bytes => (ulong)Columns / (ulong)Type.BlockLength() * (ulong)Type.BlockBytes() * (ulong)Rows;
    }
}
