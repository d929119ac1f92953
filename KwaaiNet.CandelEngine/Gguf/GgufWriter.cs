using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Gguf;

// The file, version 3, all little-endian (ggml/docs/gguf.md):
//
//   "GGUF"  u32 version  u64 tensor count  u64 metadata count
//   metadata, each:      string key   u32 value type   value
//   tensor infos, each:  string name  u32 dimensions   u64 length of each dimension   u32 ggml type   u64 offset
//   zeros up to a multiple of the alignment
//   tensor data:         each tensor at its offset (counted from the start of this part), zeros after it up to the alignment
//
//   a string is  u64 bytes  UTF-8;  an array is  u32 element type  u64 count  elements;  a bool is one byte.
//   Dimensions stand in ggml's order: the length of a row first, the number of rows second.

/// <summary>Writes a GGUF file (version 3) front to back: metadata, then the tensors' descriptions, then their bytes.</summary>
/// <remarks>
/// Add all metadata and describe all tensors first; the first <see cref="WriteTensor"/> fixes the header, which is kept in memory until
/// then. Tensor bytes go straight to the stream, in the order of description, and one tensor's may come in several calls: no tensor needs
/// to be held whole. The stream need not seek. Not thread-safe.
/// </remarks>
public sealed class GgufWriter : IDisposable
{
    private const uint Version = 3;
    private const string AlignmentKey = "general.alignment";

    private readonly Stream _stream;
    private readonly bool _leaveOpen;
    private readonly uint _alignment;
    private readonly MemoryStream _metadata = new();
    private readonly HashSet<string> _keys = new(StringComparer.Ordinal);
    private readonly List<TensorInfo> _tensors = [];
    private readonly HashSet<string> _tensorNames = new(StringComparer.Ordinal);
    private ulong _dataLength;
    private bool _headerWritten;
    private int _current;
    private ulong _currentWritten;

    /// <summary>Starts a file on <paramref name="stream"/>.</summary>
    /// <param name="stream">Where the file goes; written from its current position.</param>
    /// <param name="alignment">Every tensor starts at a multiple of this many bytes; a power of two. Recorded in the file unless it is the format's own 32.</param>
    /// <param name="leaveOpen">Whether <see cref="Dispose"/> leaves the stream open.</param>
    public GgufWriter(Stream stream, int alignment = 32, bool leaveOpen = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        if (alignment < 8 || !BitOperations.IsPow2(alignment))
            throw new ArgumentOutOfRangeException(nameof(alignment), alignment, "The alignment is a power of two, at least 8.");
        _stream = stream;
        _leaveOpen = leaveOpen;
        _alignment = (uint)alignment;
        if (alignment != 32)
            Add(AlignmentKey, _alignment);
    }

    /// <summary>Adds a string.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public void Add(string key, string value)
    {
        BeginMetadata(key, GgufValueType.String);
        WriteString(_metadata, value);
    }

    /// <summary>Adds a truth value.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public void Add(string key, bool value)
    {
        BeginMetadata(key, GgufValueType.Bool);
        _metadata.WriteByte(value ? (byte)1 : (byte)0);
    }

    /// <summary>Adds a number; its type in the file is the type it has here.</summary>
    /// <typeparam name="T">One of the ten number types of <see cref="GgufValueType"/>.</typeparam>
    /// <exception cref="ArgumentException">The key is there already, or GGUF has no such type.</exception>
    public void Add<T>(string key, T value)
        where T : unmanaged, INumber<T>
    {
        BeginMetadata(key, ValueTypeOf<T>());
        WriteNumbers(_metadata, [value]);
    }

    /// <summary>Adds an array of strings.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public void AddArray(string key, IReadOnlyCollection<string> values)
    {
        ArgumentNullException.ThrowIfNull(values);
        BeginArray(key, GgufValueType.String, values.Count);
        foreach (string value in values)
            WriteString(_metadata, value);
    }

    /// <summary>Adds an array of truth values.</summary>
    /// <exception cref="ArgumentException">The key is there already.</exception>
    public void AddArray(string key, ReadOnlySpan<bool> values)
    {
        BeginArray(key, GgufValueType.Bool, values.Length);
        foreach (bool value in values)
            _metadata.WriteByte(value ? (byte)1 : (byte)0);
    }

    /// <summary>Adds an array of numbers; the elements' type in the file is the type they have here.</summary>
    /// <typeparam name="T">One of the ten number types of <see cref="GgufValueType"/>.</typeparam>
    /// <exception cref="ArgumentException">The key is there already, or GGUF has no such type.</exception>
    public void AddArray<T>(string key, ReadOnlySpan<T> values)
        where T : unmanaged, INumber<T>
    {
        BeginArray(key, ValueTypeOf<T>(), values.Length);
        WriteNumbers(_metadata, values);
    }

    /// <summary>Describes a tensor, whose bytes <see cref="WriteTensor"/> brings later.</summary>
    /// <param name="name">The tensor's name, at most 63 bytes of UTF-8 (ggml holds no more).</param>
    /// <param name="shape">One to four lengths in ggml's order: the row's length first.</param>
    /// <param name="type">How the numbers are stored; a row must be a whole number of its blocks.</param>
    /// <exception cref="ArgumentException">The name is there already, or too long, or the shape does not fit the type.</exception>
    /// <exception cref="InvalidOperationException">Tensor bytes were written already.</exception>
    public void AddTensor(string name, ReadOnlySpan<long> shape, GgmlType type)
    {
        ArgumentException.ThrowIfNullOrEmpty(name);
        ThrowIfHeaderWritten();
        if (Encoding.UTF8.GetByteCount(name) > 63)
            throw new ArgumentException($"The tensor name '{name}' has more than 63 bytes.", nameof(name));
        if (shape.Length is < 1 or > 4)
            throw new ArgumentException($"Tensor '{name}' has {shape.Length} dimensions; GGUF has one to four.", nameof(shape));
        ulong elements = 1;
        foreach (long length in shape)
            elements = length > 0 ? checked(elements * (ulong)length) : throw new ArgumentException($"Tensor '{name}' has a dimension of length {length}.", nameof(shape));
        if (shape[0] % type.BlockLength() != 0)
            throw new ArgumentException($"Tensor '{name}': a row of {shape[0]} is not a whole number of {type} blocks.", nameof(shape));
        if (!_tensorNames.Add(name))
            throw new ArgumentException($"The tensor '{name}' is there already.", nameof(name));
        ulong bytes = checked(elements / (ulong)type.BlockLength() * (ulong)type.BlockBytes());
        _tensors.Add(new TensorInfo(name, shape.ToArray(), type, _dataLength, bytes));
        _dataLength = checked(AlignUp(_dataLength + bytes));
    }

    /// <summary>Writes the bytes of a tensor, or the next part of them; tensors come in the order they were described in.</summary>
    /// <exception cref="InvalidOperationException">It is another tensor's turn.</exception>
    /// <exception cref="ArgumentException">More bytes than the tensor's shape and type have.</exception>
    public void WriteTensor(string name, ReadOnlySpan<byte> bytes)
    {
        WriteHeader();
        if (_current == _tensors.Count || _tensors[_current].Name != name)
            throw new InvalidOperationException($"It is the turn of {(_current == _tensors.Count ? "no tensor" : $"tensor '{_tensors[_current].Name}'")}, not of '{name}'.");
        TensorInfo tensor = _tensors[_current];
        if ((ulong)bytes.Length > tensor.Bytes - _currentWritten)
            throw new ArgumentException($"Tensor '{name}' has {tensor.Bytes} bytes; {_currentWritten + (ulong)bytes.Length} were given.", nameof(bytes));
        _stream.Write(bytes);
        _currentWritten += (ulong)bytes.Length;
        if (_currentWritten == tensor.Bytes)
        {
            WriteZeros(AlignUp(tensor.Bytes) - tensor.Bytes);
            _current++;
            _currentWritten = 0;
        }
    }

    /// <summary>Ends the file: writes the header if no tensor did, and checks that every described tensor has all its bytes.</summary>
    /// <exception cref="InvalidOperationException">A tensor's bytes are missing.</exception>
    public void Finish()
    {
        WriteHeader();
        if (_current < _tensors.Count)
            throw new InvalidOperationException($"Tensor '{_tensors[_current].Name}' has {_currentWritten} of its {_tensors[_current].Bytes} bytes.");
        _stream.Flush();
    }

    /// <summary>Closes the stream, unless it was to be left open. Does not complete the file: <see cref="Finish"/> does.</summary>
    public void Dispose()
    {
        _metadata.Dispose();
        if (!_leaveOpen)
            _stream.Dispose();
    }

    private static GgufValueType ValueTypeOf<T>()
        where T : unmanaged =>
        typeof(T) == typeof(byte) ? GgufValueType.UInt8
        : typeof(T) == typeof(sbyte) ? GgufValueType.Int8
        : typeof(T) == typeof(ushort) ? GgufValueType.UInt16
        : typeof(T) == typeof(short) ? GgufValueType.Int16
        : typeof(T) == typeof(uint) ? GgufValueType.UInt32
        : typeof(T) == typeof(int) ? GgufValueType.Int32
        : typeof(T) == typeof(float) ? GgufValueType.Float32
        : typeof(T) == typeof(ulong) ? GgufValueType.UInt64
        : typeof(T) == typeof(long) ? GgufValueType.Int64
        : typeof(T) == typeof(double) ? GgufValueType.Float64
        : throw new ArgumentException($"GGUF has no value type for {typeof(T).Name}.");

    private static void WriteNumbers<T>(Stream stream, ReadOnlySpan<T> values)
        where T : unmanaged
    {
        if (BitConverter.IsLittleEndian)
        {
            stream.Write(MemoryMarshal.AsBytes(values));
            return;
        }

        foreach (T value in values)
        {
            Span<byte> bytes = MemoryMarshal.AsBytes([value]).ToArray();
            bytes.Reverse();
            stream.Write(bytes);
        }
    }

    private static void WriteUInt32(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void WriteUInt64(Stream stream, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void WriteString(Stream stream, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(value);
        WriteUInt64(stream, (ulong)bytes.Length);
        stream.Write(bytes);
    }

    private void BeginMetadata(string key, GgufValueType type)
    {
        ArgumentException.ThrowIfNullOrEmpty(key);
        ThrowIfHeaderWritten();
        if (!_keys.Add(key))
            throw new ArgumentException($"The metadata key '{key}' is there already.", nameof(key));
        WriteString(_metadata, key);
        WriteUInt32(_metadata, (uint)type);
    }

    private void BeginArray(string key, GgufValueType elementType, int count)
    {
        BeginMetadata(key, GgufValueType.Array);
        WriteUInt32(_metadata, (uint)elementType);
        WriteUInt64(_metadata, (ulong)count);
    }

    private void ThrowIfHeaderWritten()
    {
        if (_headerWritten)
            throw new InvalidOperationException("The header is written: metadata and tensor descriptions come before the first tensor's bytes.");
    }

    private void WriteHeader()
    {
        if (_headerWritten)
            return;
        _headerWritten = true;
        using MemoryStream header = new();
        header.Write("GGUF"u8);
        WriteUInt32(header, Version);
        WriteUInt64(header, (ulong)_tensors.Count);
        WriteUInt64(header, (ulong)_keys.Count);
        _metadata.WriteTo(header);
        foreach (TensorInfo tensor in _tensors)
        {
            WriteString(header, tensor.Name);
            WriteUInt32(header, (uint)tensor.Shape.Length);
            foreach (long length in tensor.Shape)
                WriteUInt64(header, (ulong)length);
            WriteUInt32(header, (uint)tensor.Type);
            WriteUInt64(header, tensor.Offset);
        }

        header.WriteTo(_stream);
        WriteZeros(AlignUp((ulong)header.Length) - (ulong)header.Length);
    }

    private ulong AlignUp(ulong position) => (position + _alignment - 1) & ~(ulong)(_alignment - 1);

    private void WriteZeros(ulong count)
    {
        for (; count > 0; count--)
            _stream.WriteByte(0);
    }

    private sealed record TensorInfo(string Name, long[] Shape, GgmlType Type, ulong Offset, ulong Bytes);
}
