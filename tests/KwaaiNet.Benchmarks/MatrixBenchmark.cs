using System.Runtime.InteropServices;
using BenchmarkDotNet.Attributes;
using KwaaiNet.CandelEngine.Compute.Cpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.Benchmarks;

/// <summary>One thread multiplies a matrix that its second-level cache holds: what the kernels reach when memory does not hold them up.</summary>
/// <remarks>One operation is 256 outputs of 2048 columns for each row. Nothing may be allocated.</remarks>
[MemoryDiagnoser]
public unsafe class MatrixBenchmark
{
    private const int Outputs = 256;
    private const int Columns = 2048;
    private byte* _data;
    private ComputePool _pool = null!;
    private PackedMatrix _matrix = null!;
    private ActivationRows _activations = null!;
    private ScratchMatrix _x = null!;
    private ScratchMatrix _y = null!;

    [Params(GgmlType.Q4_0, GgmlType.Q8_0, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K, GgmlType.F16, GgmlType.BF16)]
    public GgmlType Type { get; set; }

    [Params(1, 16, 256)]
    public int Rows { get; set; }

    [GlobalSetup]
    public void Prepare()
    {
        Random random = new(1);
        int length = Outputs * Columns / Type.BlockLength() * Type.BlockBytes();
        _data = (byte*)NativeMemory.Alloc((nuint)length);
        // Bytes that make small finite numbers whatever the type reads them as.
        for (int i = 0; i < length; i++) _data[i] = (byte)(random.Next(256) & 0x2F | 0x10);
        _pool = new ComputePool(1);
        _matrix = PackedMatrix.Pack(new TensorData("benchmark", Type, Outputs, Columns, (nint)_data, length), _pool);
        _x = new ScratchMatrix(Columns);
        _x.Reserve(Rows);
        for (int r = 0; r < Rows; r++)
        {
            for (int c = 0; c < Columns; c++) _x.Row(r)[c] = random.NextSingle() - 0.5f;
        }

        _y = new ScratchMatrix(Outputs);
        _y.Reserve(Rows);
        _activations = new ActivationRows();
        Quantise();
    }

    /// <summary>Brings the activations to what the weights are multiplied with.</summary>
    [Benchmark]
    public void Quantise()
    {
        _activations.Reserve(_matrix.Activations, Rows, Columns);
        for (int r = 0; r < Rows; r++) ActivationQuantizer.Quantize(_x.Row(r), Columns, _activations, r);
    }

    [Benchmark]
    public void Multiply() => PackedKernels.Best.Multiply(_matrix, 0, _matrix.Groups, _activations, _y.Row(0), _y.Stride);

    [GlobalCleanup]
    public void Free()
    {
        _matrix.Dispose();
        _pool.Dispose();
        _activations.Dispose();
        _x.Dispose();
        _y.Dispose();
        NativeMemory.Free(_data);
    }
}
