using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Compute.Cpu;

/// <summary>One block's weights: matrices where the file maps them, and the two norms, decoded and padded.</summary>
internal sealed unsafe class CpuBlock : IDisposable
{
    internal CpuBlock(BlockTensors tensors)
    {
        AttentionNorm = DecodeVector(tensors.AttentionNorm);
        Query = new WeightMatrix(tensors.Query);
        Key = new WeightMatrix(tensors.Key);
        Value = new WeightMatrix(tensors.Value);
        AttentionOutput = new WeightMatrix(tensors.AttentionOutput);
        FeedForwardNorm = DecodeVector(tensors.FeedForwardNorm);
        Gate = new WeightMatrix(tensors.FeedForward!.Gate);
        Up = new WeightMatrix(tensors.FeedForward!.Up);
        Down = new WeightMatrix(tensors.FeedForward!.Down);
    }

    internal float* AttentionNorm { get; }

    internal WeightMatrix Query { get; }

    internal WeightMatrix Key { get; }

    internal WeightMatrix Value { get; }

    internal WeightMatrix AttentionOutput { get; }

    internal float* FeedForwardNorm { get; }

    internal WeightMatrix Gate { get; }

    internal WeightMatrix Up { get; }

    internal WeightMatrix Down { get; }

    public void Dispose()
    {
        NativeMemory.AlignedFree(AttentionNorm);
        NativeMemory.AlignedFree(FeedForwardNorm);
    }

    /// <summary>A vector as float32, padded with zeros to a multiple of 32; the caller frees it.</summary>
    internal static float* DecodeVector(TensorData tensor)
    {
        nuint length = (nuint)CpuKernels.Padded(tensor.Columns);
        var decoded = (float*)NativeMemory.AlignedAlloc(length * sizeof(float), 64);
        NativeMemory.Clear(decoded, length * sizeof(float));
        CpuKernels.DecodeRow(new WeightMatrix(tensor), 0, decoded);
        return decoded;
    }
}
