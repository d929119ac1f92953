using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Compute.Blocks;

/// <summary>Looks tensors up by name, checks type and shape, and remembers what was asked for: a tensor nobody asked for is part of a computation that we do not do.</summary>
internal sealed class TensorFinder(ModelFile model)
{
    private readonly HashSet<string> _used = new(StringComparer.Ordinal);

    /// <summary>Whether the file has a tensor of the name.</summary>
    public bool Has(string name) => model.TryGetTensor(name, out _);

    /// <summary>Whether a tensor was asked for.</summary>
    public bool IsUsed(string name) => _used.Contains(name);

    /// <summary>A norm's weights or a bias, <c>[length]</c>.</summary>
    /// <exception cref="ModelFormatException">The tensor is missing, or of another shape or type.</exception>
    public TensorData Vector(string name, int length)
    {
        TensorData tensor = Get(name, 1, length);
        if (tensor.Type is not (GgmlType.F32 or GgmlType.F16 or GgmlType.BF16))
            throw Problem(name, $"is stored as {tensor.Type}; a norm's weights and a bias are F32, F16 or BF16");
        return tensor;
    }

    /// <summary>A vector that may be missing.</summary>
    /// <exception cref="ModelFormatException">The tensor is there, of another shape or type.</exception>
    public TensorData? VectorIfThere(string name, int length) => Has(name) ? Vector(name, length) : null;

    /// <summary>A matrix of weights, <c>[rows, columns]</c>, or several of them one after the other.</summary>
    /// <exception cref="ModelFormatException">The tensor is missing, or of another shape or a type that cannot be run.</exception>
    public TensorData Matrix(string name, int rows, int columns)
    {
        TensorData tensor = Get(name, rows, columns);
        if (!WeightLayout.IsKnown(tensor.Type))
            throw Problem(name, $"is stored as {tensor.Type}; this engine runs {GgmlTypeNames.Supported}");
        if (columns % tensor.Type.BlockLength() != 0)
            throw Problem(name, $"has {columns} columns, which {tensor.Type} cannot store");
        if (tensor.ByteLength != rows * WeightLayout.RowBytes(tensor.Type, columns))
            throw Problem(name, $"occupies {tensor.ByteLength} bytes; its shape needs {rows * WeightLayout.RowBytes(tensor.Type, columns)}");
        return tensor;
    }

    /// <summary>Some rows of a matrix, where they lie.</summary>
    public static TensorData Rows(TensorData matrix, int first, int count)
    {
        long rowBytes = WeightLayout.RowBytes(matrix.Type, matrix.Columns);
        return matrix with { Rows = count, Address = (nint)(matrix.Address + (first * rowBytes)), ByteLength = count * rowBytes, Slices = 1 };
    }

    /// <summary>The exception for a tensor: names the file and it.</summary>
    public ModelFormatException Problem(string name, string problem) => new($"{model.Path}: '{name}' {problem}.");

    private TensorData Get(string name, int rows, int columns)
    {
        _used.Add(name);
        if (!model.TryGetTensor(name, out TensorData tensor)) throw new ModelFormatException($"{model.Path}: tensor '{name}' is missing.");
        if (tensor.Rows != rows || tensor.Columns != columns)
            throw Problem(name, $"is {tensor.Rows} x {tensor.Columns}; the model's metadata needs {rows} x {columns}");
        return tensor;
    }
}
