using System.Runtime.InteropServices;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Activations;
using KwaaiNet.CandelEngine.Compute.Cpu.Packed.Formats;
using KwaaiNet.CandelEngine.Compute.Cpu.Threads;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Cpu.Packed;

/// <summary>A matrix of weights in native memory, 16 output rows interleaved: group after group, each <c>[Units, UnitBytes]</c>.</summary>
/// <remarks>Rows that fill up the last group are zero.</remarks>
internal sealed unsafe class PackedMatrix : IDisposable
{
    private const int Alignment = 64;

    private readonly delegate*<byte*, byte*, int, bool> _pack;
    private readonly int _sourceUnitBytes;
    private readonly int _unitBytes;

    private PackedMatrix(GgmlType type, int outputs, int columns, int unitColumns, int unitBytes, ActivationKind activations, delegate*<byte*, byte*, int, bool> pack)
    {
        Type = type;
        Outputs = outputs;
        Columns = columns;
        Units = columns / unitColumns;
        Activations = activations;
        _unitBytes = unitBytes;
        _sourceUnitBytes = unitColumns / type.BlockLength() * type.BlockBytes();
        _pack = pack;
        Groups = (outputs + PackedUnit.Rows - 1) / PackedUnit.Rows;
        GroupBytes = (long)Units * unitBytes;
        Bytes = Groups * GroupBytes;
        Data = (byte*)NativeMemory.AlignedAlloc((nuint)Bytes, Alignment);
    }

    /// <summary>How the weights were stored; their numbers are unchanged.</summary>
    internal GgmlType Type { get; }

    internal int Outputs { get; }

    internal int Columns { get; }

    /// <summary>What a row's columns are cut into.</summary>
    internal int Units { get; }

    /// <summary>Groups of 16 outputs.</summary>
    internal int Groups { get; }

    internal long GroupBytes { get; }

    /// <summary>Native memory held.</summary>
    internal long Bytes { get; }

    internal ActivationKind Activations { get; }

    internal byte* Data { get; private set; }

    internal byte* Group(int group) => Data + (group * GroupBytes);

    /// <summary>Whether there are packed kernels for a matrix's storage type.</summary>
    internal static bool CanPack(TensorData tensor) => tensor.Type is
        GgmlType.F32 or GgmlType.F16 or GgmlType.BF16 or GgmlType.Q4_0 or GgmlType.Q8_0 or GgmlType.Q4_K or GgmlType.Q5_K or GgmlType.Q6_K;

    /// <summary>Packs a tensor, group by group, on the pool's threads.</summary>
    /// <param name="tensor">A matrix that <see cref="CanPack"/>.</param>
    /// <param name="pool">Threads to share the work.</param>
    /// <exception cref="ModelFormatException">A weight or a scale is infinite or not a number.</exception>
    internal static PackedMatrix Pack(TensorData tensor, ComputePool pool)
    {
        PackedMatrix matrix = Allocate(tensor);
        try
        {
            matrix.Fill(tensor, pool);
            return matrix;
        }
        catch
        {
            matrix.Dispose();
            throw;
        }
    }

    public void Dispose()
    {
        NativeMemory.AlignedFree(Data);
        Data = null;
    }

    private static PackedMatrix Allocate(TensorData tensor) => tensor.Type switch
    {
        GgmlType.F32 => Allocate<PackedSingle>(tensor),
        GgmlType.F16 => Allocate<PackedHalf>(tensor),
        GgmlType.BF16 => Allocate<PackedBFloat16>(tensor),
        GgmlType.Q4_0 => Allocate<PackedQ4_0>(tensor),
        GgmlType.Q8_0 => Allocate<PackedQ8_0>(tensor),
        GgmlType.Q4_K => Allocate<PackedQ4_K>(tensor),
        GgmlType.Q5_K => Allocate<PackedQ5_K>(tensor),
        GgmlType.Q6_K => Allocate<PackedQ6_K>(tensor),
        _ => throw new ArgumentOutOfRangeException(nameof(tensor), tensor.Type, "There is no packed form of this type."),
    };

    private static PackedMatrix Allocate<TFormat>(TensorData tensor) where TFormat : struct, IPackedFormat =>
        new(tensor.Type, tensor.Rows, tensor.Columns, TFormat.Columns, TFormat.UnitBytes, TFormat.Activations, &TFormat.Pack);

    private void Fill(TensorData tensor, ComputePool pool)
    {
        var source = (byte*)tensor.Address;
        long rowBytes = (long)Units * _sourceUnitBytes;
        int damagedRow = -1;
        pool.For(Groups, (group, _) =>
        {
            byte* target = Group(group);
            int rows = Math.Min(PackedUnit.Rows, Outputs - (group * PackedUnit.Rows));
            if (rows < PackedUnit.Rows) NativeMemory.Clear(target, (nuint)GroupBytes);
            for (int row = 0; row < rows; row++)
            {
                byte* from = source + (((group * (long)PackedUnit.Rows) + row) * rowBytes);
                byte* unit = target;
                bool finite = true;
                for (int i = 0; i < Units; i++, from += _sourceUnitBytes, unit += _unitBytes) finite &= _pack(from, unit, row);
                if (!finite) Volatile.Write(ref damagedRow, (group * PackedUnit.Rows) + row);
            }
        });
        if (damagedRow >= 0)
            throw new ModelFormatException($"Tensor '{tensor.Name}' holds a number that is infinite or not a number, in row {damagedRow}. The file is damaged or was written wrongly: download it again.");
    }
}
