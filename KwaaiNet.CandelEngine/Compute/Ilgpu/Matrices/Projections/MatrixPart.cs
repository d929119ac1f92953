using ILGPU;
using ILGPU.Runtime;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Formats;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Packing;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;

/// <summary>Rows of weights of one type on the device: of one tensor, or of several one behind the other.</summary>
internal abstract class MatrixPart(int rows, int columns) : IDisposable
{
    /// <summary>Outputs.</summary>
    internal int Rows { get; } = rows;

    /// <summary>Inputs.</summary>
    internal int Columns { get; } = columns;

    /// <summary>The form of operand that a type takes.</summary>
    internal static OperandKinds OperandOf(GgmlType type) => type switch
    {
        GgmlType.Q4_0 or GgmlType.Q4_K or GgmlType.Q5_K or GgmlType.Q6_K => OperandKinds.Bytes,
        GgmlType.Q8_0 or GgmlType.Q5_0 or GgmlType.IQ4_NL => OperandKinds.Shorts,
        GgmlType.F16 => OperandKinds.Halves,
        GgmlType.BF16 => OperandKinds.Brains,
        _ => OperandKinds.Singles,
    };

    /// <summary>The type that a tensor's numbers have on the device: its own, or F32 where that has no kernels.</summary>
    internal static GgmlType TypeOf(TensorData tensor) =>
        tensor.Type is GgmlType.Q4_0 or GgmlType.Q5_0 or GgmlType.IQ4_NL or GgmlType.Q8_0 or GgmlType.Q4_K or GgmlType.Q5_K or GgmlType.Q6_K or GgmlType.F16 or GgmlType.BF16
            ? tensor.Type
            : GgmlType.F32;

    /// <summary>Bytes that rows of a type take on the device.</summary>
    internal static long BytesOf(GgmlType type, long rows, int columns) => type switch
    {
        GgmlType.Q4_0 => TileUpload.BytesOf<Q4Tiles, Q4Packing>(rows, columns),
        GgmlType.Q8_0 => TileUpload.BytesOf<Q8Tiles, Q8Packing>(rows, columns),
        GgmlType.Q5_0 => TileUpload.BytesOf<Q8Tiles, Q5Packing>(rows, columns),
        GgmlType.IQ4_NL => TileUpload.BytesOf<Q8Tiles, TablePacking>(rows, columns),
        GgmlType.Q4_K => TileUpload.BytesOf<Q4KTiles, Q4KPacking>(rows, columns),
        GgmlType.Q5_K => TileUpload.BytesOf<Q5KTiles, Q5KPacking>(rows, columns),
        GgmlType.Q6_K => TileUpload.BytesOf<Q6KTiles, Q6KPacking>(rows, columns),
        GgmlType.F16 => TileUpload.BytesOf<HalfTiles, HalfPacking>(rows, columns),
        GgmlType.BF16 => TileUpload.BytesOf<BrainTiles, BrainPacking>(rows, columns),
        _ => TileUpload.BytesOf<SingleTiles, SinglePacking>(rows, columns),
    };

    internal static MatrixPart Load(MatrixLaunches kernels, TensorData[] tensors, CancellationToken cancellationToken) => TypeOf(tensors[0]) switch
    {
        GgmlType.Q4_0 => Make<Q4Tiles, Q4Packing>(kernels, kernels.Q4, tensors, cancellationToken),
        GgmlType.Q8_0 => Make<Q8Tiles, Q8Packing>(kernels, kernels.Q8, tensors, cancellationToken),
        GgmlType.Q5_0 => Make<Q8Tiles, Q5Packing>(kernels, kernels.Q8, tensors, cancellationToken),
        GgmlType.IQ4_NL => Make<Q8Tiles, TablePacking>(kernels, kernels.Q8, tensors, cancellationToken),
        GgmlType.Q4_K => Make<Q4KTiles, Q4KPacking>(kernels, kernels.Q4K, tensors, cancellationToken),
        GgmlType.Q5_K => Make<Q5KTiles, Q5KPacking>(kernels, kernels.Q5K, tensors, cancellationToken),
        GgmlType.Q6_K => Make<Q6KTiles, Q6KPacking>(kernels, kernels.Q6K, tensors, cancellationToken),
        GgmlType.F16 => Make<HalfTiles, HalfPacking>(kernels, kernels.Half, tensors, cancellationToken),
        GgmlType.BF16 => Make<BrainTiles, BrainPacking>(kernels, kernels.Brain, tensors, cancellationToken),
        _ => Make<SingleTiles, SinglePacking>(kernels, kernels.Single, tensors, cancellationToken),
    };

    /// <summary>Bytes that it has taken on the device.</summary>
    internal abstract long Bytes { get; }

    internal abstract void Embed(ArrayView<int> tokens, int count, float scale, ArrayView<float> x);

    internal abstract void Multiply(Operand x, int rows, Product y);

    /// <summary>Whether a gate and an up projection of this type can be one launch.</summary>
    internal abstract bool Gates { get; }

    /// <summary>Multiplies by this as the gate and another part, of the same type, as the up projection, and writes what the gate lets through.</summary>
    internal abstract void Gate(MatrixPart up, Operand x, int rows, ArrayView<float>? bias, int activation, ArrayView<float> scratch, Operand y);

    /// <summary>Numbers of scratch that <see cref="Gate"/> needs.</summary>
    internal abstract long GateScratch(int rows);

    public abstract void Dispose();

    private static Typed<TWeights> Make<TWeights, TPacking>(
        MatrixLaunches kernels, FormatKernels<TWeights> format, TensorData[] tensors, CancellationToken cancellationToken)
        where TWeights : struct, ITileWeights
        where TPacking : struct, ITilePacking<TWeights>
    {
        (MemoryBuffer1D<Quad, Stride1D.Dense> buffer, TWeights weights) = TileUpload.Load<TWeights, TPacking>(kernels.Accelerator, tensors, cancellationToken);
        return new Typed<TWeights>(tensors.Sum(t => t.Rows), tensors[0].Columns, buffer, weights, format);
    }

    private sealed class Typed<TWeights>(
        int rows, int columns, MemoryBuffer1D<Quad, Stride1D.Dense> buffer, TWeights weights, FormatKernels<TWeights> kernels)
        : MatrixPart(rows, columns)
        where TWeights : struct, ITileWeights
    {
        private readonly TWeights _weights = weights;

        internal override long Bytes => buffer.LengthInBytes;

        internal override void Embed(ArrayView<int> tokens, int count, float scale, ArrayView<float> x) =>
            kernels.Embed(_weights, tokens, count, Columns, scale, x);

        internal override void Multiply(Operand x, int rows, Product y) => kernels.Multiply(_weights, x, rows, y);

        internal override bool Gates => kernels.Gates;

        internal override void Gate(MatrixPart up, Operand x, int rows, ArrayView<float>? bias, int activation, ArrayView<float> scratch, Operand y) =>
            kernels.Gate(_weights, ((Typed<TWeights>)up)._weights, x, rows, bias, activation, scratch, y);

        internal override long GateScratch(int rows) => kernels.GateScratch(rows, Rows);

        public override void Dispose() => buffer.Dispose();
    }
}
