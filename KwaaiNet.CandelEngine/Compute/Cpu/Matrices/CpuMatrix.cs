using KwaaiNet.CandelEngine.Compute.Cpu.Kernels;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Matrices;

/// <summary>A matrix of weights as the processor multiplies with it: packed where its storage type has packed kernels, else where the file maps it.</summary>
internal sealed class CpuMatrix : IDisposable
{
    /// <summary>Most outputs that one thread takes at a time: enough registers of them to hide how long an addition of floats takes.</summary>
    private const int PackedShare = 64;

    // Integers do not wait for one another, so rows that are long are taken by fewer: at the end of a product one thread waits for the other's last share.
    private const int PackedShareNumbers = PackedShare * 2048;

    // Few enough to balance, and their weights fit the second-level cache.
    private const int MappedShare = 16;

    private CpuMatrix(TensorData tensor, PackedMatrix? packed)
    {
        Mapped = new WeightMatrix(tensor);
        Packed = packed;
        Outputs = tensor.Rows;
        Columns = tensor.Columns;
        Share = packed switch
        {
            null => MappedShare,
            { Activations: ActivationKind.Single } => PackedShare,
            _ => Math.Clamp(PackedShareNumbers / Columns / PackedUnit.Rows * PackedUnit.Rows, PackedUnit.Rows, PackedShare),
        };
    }

    internal int Outputs { get; }

    internal int Columns { get; }

    /// <summary>The packed weights, or null.</summary>
    internal PackedMatrix? Packed { get; }

    /// <summary>The weights where the file maps them; of use only where there are no packed ones.</summary>
    internal WeightMatrix Mapped { get; }

    /// <summary>Outputs of one share of work.</summary>
    internal int Share { get; }

    /// <summary>Shares of work in one product.</summary>
    internal int Shares => (Outputs + Share - 1) / Share;

    /// <summary>Brings a matrix in.</summary>
    /// <exception cref="ModelFormatException">A weight or a scale is infinite or not a number.</exception>
    internal static CpuMatrix Load(TensorData tensor, ComputePool pool) =>
        new(tensor, PackedMatrix.CanPack(tensor) ? PackedMatrix.Pack(tensor, pool) : null);

    public void Dispose() => Packed?.Dispose();
}
