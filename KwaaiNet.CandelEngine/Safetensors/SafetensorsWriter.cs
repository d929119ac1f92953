using System.Buffers.Binary;
using System.Text.Json;

namespace KwaaiNet.CandelEngine.Safetensors;

/// <summary>Writes a <c>.safetensors</c> file front to back: the header from the tensors' descriptions, then their bytes.</summary>
/// <remarks>
/// Describe all tensors first; the first <see cref="WriteTensor"/> writes the header. Bytes go straight to the stream, in the order of
/// description, and one tensor's may come in several calls. The stream need not seek. Not thread-safe. The format is shown above
/// <see cref="SafetensorsHeaderReader"/>.
/// </remarks>
public sealed class SafetensorsWriter : IDisposable
{
    private const int Alignment = 8;

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly Dictionary<string, string> _metadata = new(StringComparer.Ordinal);
    private readonly List<(string Name, SafetensorsType Type, long[] Shape, long Begin, long End)> _tensors = [];
    private readonly HashSet<string> _names = new(StringComparer.Ordinal) { "__metadata__" };
    private long _dataLength;
    private bool _headerWritten;
    private int _current;
    private long _currentWritten;

    /// <summary>Starts a file on <paramref name="stream"/>.</summary>
    /// <param name="stream">Where the file goes; written from its current position.</param>
    /// <param name="leaveOpen">Whether <see cref="Dispose"/> leaves the stream open.</param>
    public SafetensorsWriter(Stream stream, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        _stream = stream;
        _leaveOpen = leaveOpen;
    }

    /// <summary>Adds a note to <c>__metadata__</c>; the last of one key counts.</summary>
    /// <exception cref="InvalidOperationException">The header is written.</exception>
    public void AddMetadata(string key, string value)
    {
        ArgumentNullException.ThrowIfNull(key);
        ArgumentNullException.ThrowIfNull(value);
        RequireOpenHeader();
        _metadata[key] = value;
    }

    /// <summary>Describes a tensor; its bytes come later, in the same order.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="type">How its numbers are stored.</param>
    /// <param name="shape">Length of each dimension, the contiguous one last.</param>
    /// <exception cref="ArgumentException">The name is taken, or the shape is negative or no whole number of bytes.</exception>
    /// <exception cref="InvalidOperationException">The header is written.</exception>
    public void AddTensor(string name, SafetensorsType type, params ReadOnlySpan<long> shape)
    {
        ArgumentNullException.ThrowIfNull(name);
        RequireOpenHeader();
        long bits = type.Bits();
        foreach (long length in shape)
            bits = length >= 0 ? checked(bits * length) : throw new ArgumentException($"'{name}' has a dimension of {length}.", nameof(shape));
        if (bits % 8 != 0)
            throw new ArgumentException($"'{name}' is no whole number of bytes.", nameof(shape));
        if (!_names.Add(name))
            throw new ArgumentException($"There is a tensor '{name}' already.", nameof(name));
        _tensors.Add((name, type, shape.ToArray(), _dataLength, _dataLength + (bits / 8)));
        _dataLength += bits / 8;
    }

    /// <summary>Writes bytes of the next tensor, or further ones of a tensor begun.</summary>
    /// <exception cref="ArgumentException">It is not this tensor's turn, or the bytes are too many.</exception>
    public void WriteTensor(string name, ReadOnlySpan<byte> bytes)
    {
        if (!_headerWritten)
            WriteHeader();
        SkipComplete();
        if (_current == _tensors.Count || _tensors[_current].Name != name)
            throw new ArgumentException($"It is not the turn of '{name}'.", nameof(name));
        (_, _, _, long begin, long end) = _tensors[_current];
        if (bytes.Length > end - begin - _currentWritten)
            throw new ArgumentException($"'{name}' has {end - begin} bytes, and more were given.", nameof(bytes));
        _stream.Write(bytes);
        _currentWritten += bytes.Length;
    }

    /// <summary>Checks that every tensor is written whole.</summary>
    /// <exception cref="InvalidOperationException">One is not.</exception>
    public void Finish()
    {
        if (!_headerWritten)
            WriteHeader();
        SkipComplete();
        if (_current < _tensors.Count)
            throw new InvalidOperationException($"The tensor '{_tensors[_current].Name}' is not written whole.");
        _stream.Flush();
    }

    /// <summary>Closes the stream unless it was to stay open. Does not finish the file.</summary>
    public void Dispose()
    {
        if (!_leaveOpen)
            _stream.Dispose();
    }

    private void SkipComplete()
    {
        while (_current < _tensors.Count && _currentWritten == _tensors[_current].End - _tensors[_current].Begin)
        {
            _current++;
            _currentWritten = 0;
        }
    }

    private void RequireOpenHeader()
    {
        if (_headerWritten)
            throw new InvalidOperationException("The header is written: nothing can be added to it.");
    }

    private void WriteHeader()
    {
        using MemoryStream header = new();
        using (Utf8JsonWriter json = new(header))
        {
            json.WriteStartObject();
            if (_metadata.Count > 0)
            {
                json.WriteStartObject("__metadata__");
                foreach ((string key, string value) in _metadata)
                    json.WriteString(key, value);
                json.WriteEndObject();
            }

            foreach ((string name, SafetensorsType type, long[] shape, long begin, long end) in _tensors)
            {
                json.WriteStartObject(name);
                json.WriteString("dtype", type.HeaderName());
                WriteNumbers(json, "shape", shape);
                WriteNumbers(json, "data_offsets", begin, end);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        while (header.Length % Alignment != 0)
            header.WriteByte((byte)' ');
        Span<byte> length = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(length, (ulong)header.Length);
        _stream.Write(length);
        header.WriteTo(_stream);
        _headerWritten = true;
    }

    private static void WriteNumbers(Utf8JsonWriter json, string name, params ReadOnlySpan<long> numbers)
    {
        json.WriteStartArray(name);
        foreach (long number in numbers)
            json.WriteNumberValue(number);
        json.WriteEndArray();
    }
}
