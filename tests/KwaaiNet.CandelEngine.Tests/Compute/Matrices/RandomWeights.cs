using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute.Matrices;

/// <summary>A tensor of random blocks, in memory that does not move.</summary>
internal sealed unsafe class RandomWeights : IDisposable
{
    private readonly nint _memory;

    /// <summary>Random bytes, but scales that keep sums finite: a model's weights are.</summary>
    public RandomWeights(Random random, GgmlType type, int rows, int columns, float most = 1e9f)
    {
        int count = rows * columns;
        int bytes = count / type.BlockLength() * type.BlockBytes();
        _memory = (nint)NativeMemory.Alloc((nuint)bytes);
        Values = new float[count];
        Tensor = new TensorData("w", type, rows, columns, _memory, bytes);
        for (int block = 0; block < count / type.BlockLength(); block++)
        {
            Span<byte> one = new((byte*)_memory + (block * type.BlockBytes()), type.BlockBytes());
            Span<float> decoded = Values.AsSpan(block * type.BlockLength(), type.BlockLength());
            do
            {
                random.NextBytes(one);
                BlockDecoder.Decode(type, one, decoded);
            }
            while (decoded.ContainsAnyExceptInRange(-most, most));
        }
    }

    public TensorData Tensor { get; }

    /// <summary>What the format says the weights are.</summary>
    public float[] Values { get; }

    /// <summary>A row as a file stores it.</summary>
    public byte* Row(int index) => (byte*)_memory + (index * (Tensor.ByteLength / Tensor.Rows));

    public void Dispose() => NativeMemory.Free((void*)_memory);
}
