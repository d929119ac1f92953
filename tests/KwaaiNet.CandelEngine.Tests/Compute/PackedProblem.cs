using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>A random matrix, as a file stores it and packed, and random activations.</summary>
internal sealed unsafe class PackedProblem : IDisposable
{
    /// <summary>Bytes as they come.</summary>
    internal static readonly Func<Random, byte> Ordinary = random => (byte)random.Next(256);

    private readonly TensorData _tensor;
    private readonly PackedMatrix _matrix;
    private readonly ScratchMatrix _x;
    private readonly int _rows;

    internal PackedProblem(GgmlType type, int outputs, int columns, int rows, int seed, Func<Random, byte> bytes)
    {
        _rows = rows;
        Random random = new(seed);
        int blocks = outputs * columns / type.BlockLength();
        int length = blocks * type.BlockBytes();
        var data = (byte*)NativeMemory.Alloc((nuint)length);
        for (int i = 0; i < length; i++) data[i] = bytes(random);
        for (int block = 0; block < blocks; block++) MakeFinite(type, data + (block * type.BlockBytes()), random);
        _tensor = new TensorData("test.weight", type, outputs, columns, (nint)data, length);
        using (ComputePool pool = new(1)) _matrix = PackedMatrix.Pack(_tensor, pool);
        _x = new ScratchMatrix(columns);
        _x.Reserve(rows);
        SetActivations((_, _) => (random.NextSingle() - 0.5f) * MathF.Pow(2, random.Next(-3, 4)));
    }

    internal void SetActivations(Func<int, int, float> value)
    {
        for (int row = 0; row < _rows; row++)
        {
            for (int column = 0; column < _tensor.Columns; column++) _x.Row(row)[column] = value(row, column);
        }
    }

    /// <summary>y, <c>[rows, outputs]</c>.</summary>
    internal float[] Multiply(PackedKernels kernels, int firstRow = 0, int? rows = null)
    {
        int count = rows ?? _rows;
        using ActivationRows activations = new();
        activations.Reserve(_matrix.Activations, count, _tensor.Columns);
        for (int row = 0; row < count; row++) ActivationQuantizer.Quantize(_x.Row(firstRow + row), _tensor.Columns, activations, row);
        using ScratchMatrix y = new(_tensor.Rows);
        y.Reserve(count);
        // In two shares, as threads would take them.
        int middle = _matrix.Groups / 2;
        if (middle > 0) kernels.Multiply(_matrix, 0, middle, activations, y.Row(0), y.Stride);
        kernels.Multiply(_matrix, middle, _matrix.Groups, activations, y.Row(0) + (middle * 16), y.Stride);

        float[] result = new float[count * _tensor.Rows];
        for (int row = 0; row < count; row++) new Span<float>(y.Row(row), _tensor.Rows).CopyTo(result.AsSpan(row * _tensor.Rows));
        return result;
    }

    /// <summary>The product of the weights as the format defines them, and Σ |w| · the largest activation of each block, which errors are relative to.</summary>
    internal (double[] Product, double[] Magnitude) MultiplyInDouble()
    {
        double[] product = new double[_rows * _tensor.Rows];
        double[] magnitude = new double[product.Length];
        long rowBytes = WeightLayout.RowBytes(_tensor.Type, _tensor.Columns);
        for (int row = 0; row < _rows; row++)
        {
            for (int output = 0; output < _tensor.Rows; output++)
            {
                for (int column = 0; column < _tensor.Columns; column++)
                {
                    double weight = Weight((byte*)_tensor.Address + (output * rowBytes), column);
                    product[(row * _tensor.Rows) + output] += weight * _x.Row(row)[column];
                    float most = 0;
                    for (int c = column & ~31; c < (column & ~31) + 32; c++) most = Math.Max(most, Math.Abs(_x.Row(row)[c]));
                    magnitude[(row * _tensor.Rows) + output] += Math.Abs(weight) * most;
                }
            }
        }

        return (product, magnitude);
    }

    public void Dispose()
    {
        _matrix.Dispose();
        _x.Dispose();
        NativeMemory.Free((void*)_tensor.Address);
    }

    private double Weight(byte* row, int column) => WeightLayout.Element(_tensor.Type, row, column);

    // Random bytes make scales that are infinite or none; these lie between 2^-8 and 2^-6, either sign.
    private static void MakeFinite(GgmlType type, byte* block, Random random)
    {
        switch (type)
        {
            case GgmlType.F32: *(float*)block = *block == 0xFF ? 3 : random.NextSingle() - 0.5f; break;
            case GgmlType.F16: if ((*(ushort*)block & 0x7C00) == 0x7C00) *(ushort*)block ^= 0x4000; break;
            case GgmlType.BF16: *(ushort*)block = (ushort)((*(ushort*)block & 0x80FF) | 0x3D00); break;
            case GgmlType.Q4_K or GgmlType.Q5_K: Scale(block); Scale(block + 2); break;
            case GgmlType.Q6_K: Scale(block + 208); break;
            default: Scale(block); break;
        }

        void Scale(byte* at) => *(Half*)at = (Half)((random.NextSingle() + 0.5f) / 64 * (random.Next(2) == 0 ? 1 : -1));
    }
}
