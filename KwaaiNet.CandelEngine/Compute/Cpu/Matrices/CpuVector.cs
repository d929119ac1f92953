using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Matrices;

/// <summary>A norm's weights or a bias as float32, padded with zeros to a multiple of 32; or nothing, where the architecture has none.</summary>
internal sealed unsafe class CpuVector : IDisposable
{
    internal CpuVector(TensorData? tensor)
    {
        if (tensor is not { } vector) return;

        Length = vector.Columns;
        nuint bytes = (nuint)CpuKernels.Padded(Length) * sizeof(float);
        Data = (float*)NativeMemory.AlignedAlloc(bytes, 64);
        NativeMemory.Clear(Data, bytes);
        CpuKernels.DecodeRow(new WeightMatrix(vector), 0, Data);
    }

    /// <summary>Whether there is one.</summary>
    internal bool IsThere => Data != null;

    internal int Length { get; }

    internal float* Data { get; private set; }

    /// <summary>Adds the vector to rows <c>[first, end)</c>; nothing happens where there is none.</summary>
    internal void AddTo(ScratchMatrix matrix, int first, int end)
    {
        if (!IsThere) return;

        for (int r = first; r < end; r++) CpuKernels.Add(matrix.Row(r), Data, Length);
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        Data = null;
    }
}
