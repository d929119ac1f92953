using System.Runtime.InteropServices;
using ILGPU;
using ILGPU.Runtime;
using ILGPU.Runtime.CPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Cuda;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Devices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;

namespace KwaaiNet.CandelEngine.Tests.Compute.Matrices;

/// <summary>ILGPU's CPU accelerator with warps and groups as CUDA's, for kernels that need them: slow, so for small shapes.</summary>
internal sealed class MatrixBench : IDisposable
{
    private readonly Context _context;

    public MatrixBench()
    {
        _context = Context.Create(builder => builder.CPU(new CPUDevice(32, 16, 1)).Optimize(OptimizationLevel.O2).WithPtxIntrinsics());
        Accelerator = _context.Devices[0].CreateAccelerator(_context);
        Cuda = new MatrixLaunches(Accelerator, KernelFamily.Cuda, Launches);
        Portable = new MatrixLaunches(Accelerator, KernelFamily.Portable, Launches);
    }

    public Accelerator Accelerator { get; }

    public LaunchCount Launches { get; } = new();

    /// <summary>The kernels for CUDA, by the code they have elsewhere.</summary>
    public MatrixLaunches Cuda { get; }

    public MatrixLaunches Portable { get; }

    public void Dispose()
    {
        Accelerator.Dispose();
        _context.Dispose();
    }

    /// <summary>All that an operand holds.</summary>
    public static byte[] Bytes(OperandBuffer operand)
    {
        var quads = new Quad[operand.Memory.Length];
        operand.Memory.CopyToCPU(quads);
        return MemoryMarshal.AsBytes<Quad>(quads).ToArray();
    }

    /// <summary>The operand that kernels make of rows, as bytes.</summary>
    public byte[] Write(MatrixLaunches kernels, OperandKinds kinds, float[] x, int columns, int rows)
    {
        using OperandBuffer operand = new(Accelerator, kinds, columns, rows);
        operand.Memory.MemSetToZero();
        using MemoryBuffer1D<float, Stride1D.Dense> from = Accelerator.Allocate1D(x);
        kernels.Write(from.View, rows, operand.For(rows));
        Accelerator.Synchronize();
        return Bytes(operand);
    }

    /// <summary>The products of a projection with rows, and what adding half of them gives, <c>[2, rows, outputs]</c>.</summary>
    public float[] Multiply(MatrixLaunches kernels, Projection projection, float[] x, int rows, float[]? bias)
    {
        using OperandBuffer operand = new(Accelerator, projection.Operand, projection.Columns, rows);
        using MemoryBuffer1D<float, Stride1D.Dense> from = Accelerator.Allocate1D(x);
        using MemoryBuffer1D<float, Stride1D.Dense> y = Accelerator.Allocate1D<float>(rows * projection.Rows);
        using MemoryBuffer1D<float, Stride1D.Dense> biases = Accelerator.Allocate1D(bias ?? [0f]);
        ArrayView<float>? added = bias is null ? null : biases.View;

        // The operand is never in question here: one kernel writes it for both families.
        Portable.Write(from.View, rows, operand.For(rows));
        projection.Multiply(operand.For(rows), rows, y.View, added);
        Accelerator.Synchronize();
        float[] products = y.GetAsArray1D();
        projection.AddTo(operand.For(rows), rows, y.View, 0.5f, added);
        Accelerator.Synchronize();
        return [.. products, .. y.GetAsArray1D()];
    }
}
