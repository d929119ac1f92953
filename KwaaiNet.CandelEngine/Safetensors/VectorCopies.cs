using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Safetensors;

/// <summary>Vectors that a model file gives as float32 of its own: norms and biases, stored otherwise or less one, and numbers a configuration holds.</summary>
/// <remarks>A copy is made when it is first asked for and lives until the file is closed. Safe for concurrent use.</remarks>
internal sealed unsafe class VectorCopies : IDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<string, TensorData> _made = new(StringComparer.Ordinal);
    private bool _disposed;

    /// <summary>The copy of a vector.</summary>
    /// <param name="name">The name it is given.</param>
    /// <param name="source">The vector, of a type that runs.</param>
    /// <param name="plus">What is added to each number.</param>
    /// <exception cref="ObjectDisposedException">The copies are freed.</exception>
    public TensorData Get(string name, SafetensorsTensor source, float plus) => Get(name, checked((int)source.Shape[0]), values =>
    {
        for (int i = 0; i < values.Length; i++)
            values[i] = Element(source, i) + plus;
    });

    /// <summary>The copy of numbers.</summary>
    /// <exception cref="ObjectDisposedException">The copies are freed.</exception>
    public TensorData Get(string name, float[] source) => Get(name, source.Length, source.CopyTo);

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
            foreach (TensorData tensor in _made.Values)
                NativeMemory.Free((void*)tensor.Address);
            _made.Clear();
        }
    }

    private delegate void Fill(Span<float> values);

    private TensorData Get(string name, int length, Fill fill)
    {
        lock (_lock)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            if (_made.TryGetValue(name, out TensorData made))
                return made;
            void* memory = NativeMemory.Alloc((nuint)length, sizeof(float));
            fill(new Span<float>(memory, length));
            made = new TensorData(name, GgmlType.F32, 1, length, (nint)memory, (long)length * sizeof(float));
            _made.Add(name, made);
            return made;
        }
    }

    private static float Element(SafetensorsTensor tensor, long index)
    {
        byte* start = (byte*)tensor.Address;
        return tensor.Type switch
        {
            SafetensorsType.F32 => System.Buffers.Binary.BinaryPrimitives.ReadSingleLittleEndian(new ReadOnlySpan<byte>(start + (index * 4), 4)),
            SafetensorsType.F16 => (float)System.Buffers.Binary.BinaryPrimitives.ReadHalfLittleEndian(new ReadOnlySpan<byte>(start + (index * 2), 2)),
            _ => BitConverter.Int32BitsToSingle(System.Buffers.Binary.BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(start + (index * 2), 2)) << 16),
        };
    }
}
