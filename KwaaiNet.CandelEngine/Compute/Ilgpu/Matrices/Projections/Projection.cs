using ILGPU;
using KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Launches;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Matrices.Projections;

/// <summary>A weight matrix on the device, or several stacked that take the same operand: queries, keys and values are one.</summary>
/// <remarks>
/// Neighbours of one type become one part, which is one launch; tensors of different types become several behind one call.
/// Every call's kernel arguments are the same for the same views and the same number of rows.
/// </remarks>
internal sealed class Projection : IDisposable
{
    private readonly MatrixPart[] _parts;

    private Projection(MatrixPart[] parts, OperandKinds operand)
    {
        _parts = parts;
        Operand = operand;
        Columns = parts[0].Columns;
        Rows = parts.Sum(p => p.Rows);
    }

    /// <summary>The forms of operand it takes.</summary>
    internal OperandKinds Operand { get; }

    /// <summary>Inputs: columns of the operand.</summary>
    internal int Columns { get; }

    /// <summary>Outputs of all tensors together.</summary>
    internal int Rows { get; }

    /// <summary>Kernels launched for one product.</summary>
    internal int Launches => _parts.Length;

    /// <summary>Bytes that it has taken on the device.</summary>
    internal long Bytes => _parts.Sum(part => part.Bytes);

    /// <summary>Bytes that tensors take on the device, loaded together.</summary>
    internal static long BytesOf(params ReadOnlySpan<TensorData> tensors) =>
        Runs(tensors).Sum(run => MatrixPart.BytesOf(MatrixPart.TypeOf(run[0]), run.Sum(t => (long)t.Rows), run[0].Columns));

    /// <summary>Repacks and uploads tensors of equal columns; one that is a stack of experts is given by its slices.</summary>
    /// <exception cref="OperationCanceledException">The caller gave up; nothing stays allocated.</exception>
    internal static Projection Load(MatrixLaunches kernels, CancellationToken cancellationToken, params ReadOnlySpan<TensorData> tensors)
    {
        OperandKinds operand = OperandKinds.None;
        foreach (TensorData tensor in tensors) operand |= MatrixPart.OperandOf(tensor.Type);
        List<MatrixPart> parts = [];
        try
        {
            foreach (TensorData[] run in Runs(tensors)) parts.Add(MatrixPart.Load(kernels, run, cancellationToken));
            return new Projection([.. parts], operand);
        }
        catch
        {
            foreach (MatrixPart part in parts) part.Dispose();
            throw;
        }
    }

    /// <summary><c>x[row] = table[tokens[row]] · scale</c>.</summary>
    /// <param name="tokens">The tokens.</param>
    /// <param name="rows">How many.</param>
    /// <param name="scale">What numbers are multiplied by.</param>
    /// <param name="x">The result, <c>[rows, Columns]</c>.</param>
    internal void Embed(ArrayView<int> tokens, int rows, float scale, ArrayView<float> x) => _parts[0].Embed(tokens, rows, scale, x);

    /// <summary><c>y = x · Wᵀ (+ bias)</c>.</summary>
    /// <param name="x">The operand.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="y">The result, <c>[rows, Rows]</c>.</param>
    /// <param name="bias">Added to every row, <c>[Rows]</c>; null for none.</param>
    internal void Multiply(Operand x, int rows, ArrayView<float> y, ArrayView<float>? bias = null) =>
        Run(x, rows, new Product(y, Rows, bias, adds: false, scale: 1));

    /// <summary><c>y += scale · (x · Wᵀ (+ bias))</c>.</summary>
    /// <param name="x">The operand.</param>
    /// <param name="rows">Its rows.</param>
    /// <param name="y">What it is added to, <c>[rows, Rows]</c>.</param>
    /// <param name="scale">What the product and its bias are multiplied by.</param>
    /// <param name="bias">Added to every row, <c>[Rows]</c>; null for none.</param>
    internal void AddTo(Operand x, int rows, ArrayView<float> y, float scale = 1, ArrayView<float>? bias = null) =>
        Run(x, rows, new Product(y, Rows, bias, adds: true, scale));

    public void Dispose()
    {
        foreach (MatrixPart part in _parts) part.Dispose();
    }

    private void Run(Operand x, int rows, Product product)
    {
        int first = 0;
        foreach (MatrixPart part in _parts)
        {
            part.Multiply(x, rows, product.Part(first, part.Rows));
            first += part.Rows;
        }
    }

    // Neighbours that have one type on the device.
    private static List<TensorData[]> Runs(ReadOnlySpan<TensorData> tensors)
    {
        List<TensorData[]> runs = [];
        for (int first = 0; first < tensors.Length;)
        {
            int end = first + 1;
            while (end < tensors.Length && MatrixPart.TypeOf(tensors[end]) == MatrixPart.TypeOf(tensors[first])) end++;
            runs.Add(tensors[first..end].ToArray());
            first = end;
        }

        return runs;
    }
}
