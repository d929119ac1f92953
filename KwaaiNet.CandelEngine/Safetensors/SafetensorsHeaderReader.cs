using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Safetensors;

// The file (https://huggingface.co/docs/safetensors, "Format"):
//
//   u64 N, little-endian
//   N bytes of JSON, UTF-8, from '{' on; spaces may follow it so that the data starts at a multiple of 8:
//     { "__metadata__": { "format": "pt" },                                           strings only; may be absent
//       "lm_head.weight": { "dtype": "BF16", "shape": [32000, 4096], "data_offsets": [0, 262144000] }, … }
//   the tensors' bytes, row-major, little-endian; offsets [begin, end) count from here
//
//   The data is covered exactly once: no hole, no overlap, nothing behind the last tensor. No key stands twice.

/// <summary>Reads and checks a safetensors header.</summary>
internal ref struct SafetensorsHeaderReader
{
    /// <summary>Bytes of a header, at most: the format's own limit.</summary>
    public const int MaximumHeader = 100_000_000;

    // Far above any real model; eight dimensions are what the frameworks have at most.
    private const int MaximumTensors = 1 << 18;
    private const int MaximumRank = 8;
    private const int MaximumNameLength = 1 << 12;
    private const int Prefix = sizeof(ulong);

    private readonly string _path;
    private readonly nint _data;
    private readonly long _dataLength;
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private Utf8JsonReader _json;
    private bool _metadataSeen;

    private SafetensorsHeaderReader(string path, ReadOnlySpan<byte> header, nint data, long dataLength)
    {
        _path = path;
        _data = data;
        _dataLength = dataLength;
        _json = new Utf8JsonReader(header, new JsonReaderOptions { MaxDepth = 8 });
    }

    /// <exception cref="ModelFormatException">The file is not safetensors, is truncated, or its header lies.</exception>
    public static unsafe (Dictionary<string, SafetensorsTensor> Tensors, Dictionary<string, string> Metadata) Read(GgufMapping mapping, string path)
    {
        byte* start = mapping.Start;
        long rest = mapping.Length - Prefix;
        if (rest < 2)
            throw new ModelFormatException($"{path}: not a safetensors file: {mapping.Length} bytes are fewer than the shortest has. Download it again.");
        ulong length = BinaryPrimitives.ReadUInt64LittleEndian(new ReadOnlySpan<byte>(start, Prefix));
        if (length > (ulong)rest || length > MaximumHeader || start[Prefix] != (byte)'{')
            throw NotSafetensors(path, length, rest, start[Prefix] == (byte)'{');
        ReadOnlySpan<byte> header = new(start + Prefix, (int)length);
        SafetensorsHeaderReader reader = new(path, header, (nint)(start + Prefix + (long)length), rest - (long)length);
        try
        {
            return (reader.ReadTensors(CountTensors(header)), reader._metadata);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Utf8JsonReader says InvalidOperationException of a string that is not UTF-8.
            throw new ModelFormatException($"{path}: the header is not JSON: {e.Message} The file is damaged: download it again.", e);
        }
    }

    private static ModelFormatException NotSafetensors(string path, ulong length, long rest, bool brace)
    {
        string problem = !brace && length > MaximumHeader
            ? "not a safetensors file: it does not start with a header. Take the model's .safetensors file; where it was fetched by git, 'git lfs pull' brings the file itself"
            : !brace
                ? "the header does not start with '{'. The file is damaged: download it again"
                : length > MaximumHeader
                    ? $"the header says it has {length} bytes; at most {MaximumHeader} are allowed. The file is damaged: download it again"
                    : $"truncated: the header says it has {length} bytes, and the file has {rest} left. Download it again";
        return new ModelFormatException($"{path}: {problem}.");
    }

    /// <summary>Counts the header's entries, so that what is kept is allocated once and in its size.</summary>
    private static int CountTensors(ReadOnlySpan<byte> header)
    {
        Utf8JsonReader json = new(header, new JsonReaderOptions { MaxDepth = 8 });
        int count = 0;
        while (json.Read())
        {
            if (json.TokenType == JsonTokenType.PropertyName && json.CurrentDepth == 1)
                count++;
        }

        return count;
    }

    private Dictionary<string, SafetensorsTensor> ReadTensors(int count)
    {
        if (count > MaximumTensors)
            Throw($"the header describes {count} tensors; at most {MaximumTensors} are allowed");
        Dictionary<string, SafetensorsTensor> tensors = new(count, StringComparer.Ordinal);
        List<(long Begin, long End, string Name)> places = new(count);
        _json.Read();
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            if (_json.ValueSpan.Length > MaximumNameLength)
                Throw($"a name of {_json.ValueSpan.Length} bytes; at most {MaximumNameLength} are allowed");
            if (_json.ValueTextEquals("__metadata__"u8))
            {
                ReadMetadata();
                continue;
            }

            string name = _json.GetString()!;
            (SafetensorsType type, long[] shape, long begin, long end) = ReadTensor(name);
            if (!tensors.TryAdd(name, new SafetensorsTensor(name, type, shape, (nint)(_data + begin), end - begin)))
                Throw($"the tensor '{name}' is there twice");
            places.Add((begin, end, name));
        }

        while (_json.Read())
        {
        }

        RequireCovered(places);
        return tensors;
    }

    private void ReadMetadata()
    {
        if (_metadataSeen)
            Throw("'__metadata__' is there twice");
        _metadataSeen = true;
        Expect(JsonTokenType.StartObject, "'__metadata__'");
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            string key = _json.GetString()!;
            Expect(JsonTokenType.String, "a value of '__metadata__'");
            if (!_metadata.TryAdd(key, _json.GetString()!))
                Throw($"'{key}' of '__metadata__' is there twice");
        }
    }

    private (SafetensorsType Type, long[] Shape, long Begin, long End) ReadTensor(string name)
    {
        Expect(JsonTokenType.StartObject, $"tensor '{name}'");
        SafetensorsType? type = null;
        long[]? shape = null;
        long[]? offsets = null;
        Span<long> numbers = stackalloc long[MaximumRank];
        while (_json.Read() && _json.TokenType == JsonTokenType.PropertyName)
        {
            bool again;
            if (_json.ValueTextEquals("dtype"u8))
            {
                again = type is not null;
                type = ReadType(name);
            }
            else if (_json.ValueTextEquals("shape"u8))
            {
                again = shape is not null;
                shape = numbers[..ReadNumbers($"the shape of tensor '{name}'", numbers)].ToArray();
            }
            else if (_json.ValueTextEquals("data_offsets"u8))
            {
                again = offsets is not null;
                offsets = numbers[..ReadNumbers($"the offsets of tensor '{name}'", numbers)].ToArray();
            }
            else
            {
                throw Problem($"tensor '{name}' is described by '{_json.GetString()}', which safetensors does not define");
            }

            if (again)
                Throw($"the description of tensor '{name}' says one thing twice");
        }

        if (type is null || shape is null || offsets is not [long begin, long end])
            throw Problem($"tensor '{name}' is not described by a dtype, a shape and two data_offsets");
        RequireFits(name, type.Value, shape, begin, end);
        return (type.Value, shape, begin, end);
    }

    private SafetensorsType ReadType(string name)
    {
        Expect(JsonTokenType.String, $"the dtype of tensor '{name}'");
        if (!_json.ValueIsEscaped && SafetensorsTypeLayout.TryParse(_json.ValueSpan, out SafetensorsType type))
            return type;
        string given = _json.GetString()!;
        throw new ModelFormatException(
            $"{_path}: tensor '{name}' is stored as '{(given.Length > 32 ? given[..32] : given)}', which this engine does not know; it runs F32, F16 and BF16. Take the model in one of these.");
    }

    private int ReadNumbers(string part, scoped Span<long> numbers)
    {
        Expect(JsonTokenType.StartArray, part);
        int count = 0;
        while (_json.Read() && _json.TokenType != JsonTokenType.EndArray)
        {
            if (count == numbers.Length)
                Throw($"{part} has more than {numbers.Length} numbers");
            if (_json.TokenType != JsonTokenType.Number || !_json.TryGetInt64(out numbers[count]) || numbers[count] < 0)
                Throw($"{part} holds what is not an integer from 0 to 2^63 - 1");
            count++;
        }

        return count;
    }

    private readonly void RequireFits(string name, SafetensorsType type, long[] shape, long begin, long end)
    {
        if (begin > end || end > _dataLength)
        {
            throw new ModelFormatException(
                $"{_path}: truncated: tensor '{name}' lies at bytes {begin} to {end}, and the file has {_dataLength} bytes of tensor data. Download it again.");
        }

        // A factor at most 2^63 each, so the product is compared before it is made.
        long bits = type.Bits();
        long elements = 1;
        foreach (long length in shape)
        {
            if (length != 0 && elements > long.MaxValue / bits / length)
                Throw($"tensor '{name}' has more elements than a file can hold");
            elements *= length;
        }

        if (elements * bits % 8 != 0 || elements * bits / 8 != end - begin)
            Throw($"tensor '{name}' of shape [{string.Join(", ", shape)}] and type {type.HeaderName()} has {end - begin} bytes; it needs {elements * bits / 8}");
    }

    private readonly void RequireCovered(List<(long Begin, long End, string Name)> places)
    {
        places.Sort(static (a, b) => a.Begin != b.Begin ? a.Begin.CompareTo(b.Begin) : a.End.CompareTo(b.End));
        long covered = 0;
        string before = "";
        foreach ((long begin, long end, string name) in places)
        {
            if (begin < covered)
                Throw($"the tensors '{before}' and '{name}' overlap");
            if (begin > covered)
                Throw($"bytes {covered} to {begin} of the data, before '{name}', belong to no tensor");
            covered = end;
            before = name;
        }

        if (covered != _dataLength)
            Throw($"bytes {covered} to {_dataLength} of the data, at the end, belong to no tensor");
    }

    private void Expect(JsonTokenType type, string part)
    {
        _json.Read();
        if (_json.TokenType != type)
            Throw($"{part} is {_json.TokenType}, and {type} belongs there");
    }

    private readonly ModelFormatException Problem(string problem) => new($"{_path}: {problem}. The file is damaged or was written wrongly: download it again.");

    [DoesNotReturn]
    private readonly void Throw(string problem) => throw Problem(problem);
}
