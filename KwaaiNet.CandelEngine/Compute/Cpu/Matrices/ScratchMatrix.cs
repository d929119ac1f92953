using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Matrices;

/// <summary>Activation rows in native memory, padded with zeros to a multiple of 32 numbers; grows, never shrinks.</summary>
internal sealed unsafe class ScratchMatrix : IDisposable
{
    private const int Alignment = 64;

    private int _rows;

    /// <param name="width">Numbers in a row that mean something.</param>
    internal ScratchMatrix(int width)
    {
        Width = width;
        Stride = CpuKernels.Padded(width);
    }

    internal int Width { get; }

    /// <summary>Numbers between rows.</summary>
    internal int Stride { get; }

    internal float* Data { get; private set; }

    internal float* Row(int row) => Data + ((long)row * Stride);

    /// <summary>Makes room for rows; what was in them is lost when it grows.</summary>
    internal void Reserve(int rows)
    {
        if (rows <= _rows) return;

        nuint bytes = (nuint)rows * (nuint)Stride * sizeof(float);
        var data = (float*)NativeMemory.AlignedAlloc(bytes, Alignment);
        NativeMemory.Clear(data, bytes); // the padding must be zero, and stays so
        Dispose();
        Data = data;
        _rows = rows;
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        Data = null;
        _rows = 0;
    }
}
