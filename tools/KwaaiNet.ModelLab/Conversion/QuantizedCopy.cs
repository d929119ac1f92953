using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Quantization;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.ModelLab.Conversion;

/// <summary>Writes a model anew with all its matrices in one type: no mixture, so that what is measured belongs to the type.</summary>
internal static class QuantizedCopy
{
    /// <summary>Writes the file.</summary>
    /// <param name="input">A GGUF model of any type.</param>
    /// <param name="output">The file to write.</param>
    /// <param name="type">The type of every matrix, embedding and output among them. Vectors and what steers experts stay float32.</param>
    /// <returns>What it cost the weights.</returns>
    /// <exception cref="InvalidDataException">A matrix has rows that are no whole number of the type's blocks.</exception>
    public static WeightError Write(string input, string output, GgmlType type)
    {
        using GgufFile file = GgufFile.Open(input);
        TensorData[] tensors = [.. file.TensorNames.Select(name => file.TryGetTensor(name, out TensorData tensor) ? tensor : throw new InvalidDataException(name))];
        if (tensors.Where(tensor => IsWeight(tensor) && tensor.Columns % type.BlockLength() != 0).Select(tensor => tensor.Name).FirstOrDefault() is { } odd)
            throw new InvalidDataException($"{input}: the rows of '{odd}' are no whole number of {type} blocks of {type.BlockLength()}; take another type or another model.");

        using GgufWriter writer = new(File.Create(output));
        foreach (string key in file.Metadata.Keys.Where(key => key is not ("general.file_type" or "general.alignment")))
            MetadataCopy.Add(writer, file.Metadata, key);
        foreach (TensorData tensor in tensors)
            writer.AddTensor(tensor.Name, ShapeOf(tensor), IsWeight(tensor) ? type : GgmlType.F32);
        WeightError error = new();
        foreach (TensorData tensor in tensors)
        {
            float[] values = Decode(tensor.Type, tensor.Bytes, tensor.Rows * tensor.Columns);
            GgmlType stored = IsWeight(tensor) ? type : GgmlType.F32;
            byte[] bytes = TensorEncoding.Encode(stored, values);
            writer.WriteTensor(tensor.Name, bytes);
            if (IsWeight(tensor))
                error.Add(values, Decode(stored, bytes, values.Length), bytes.Length);
        }

        writer.Finish();
        return error;
    }

    /// <summary>What the weights of a copy lost against the original: both files' matrices decoded and compared.</summary>
    public static WeightError Compare(string original, string copy)
    {
        using GgufFile before = GgufFile.Open(original);
        using GgufFile after = GgufFile.Open(copy);
        WeightError error = new();
        foreach (string name in before.TensorNames)
        {
            if (!before.TryGetTensor(name, out TensorData old) || !after.TryGetTensor(name, out TensorData tensor))
                throw new InvalidDataException($"{copy} has no tensor '{name}'.");
            if (IsWeight(old))
                error.Add(Decode(old.Type, old.Bytes, old.Rows * old.Columns), Decode(tensor.Type, tensor.Bytes, tensor.Rows * tensor.Columns), tensor.ByteLength);
        }

        return error;
    }

    private static bool IsWeight(TensorData tensor) => tensor.Rows > 1 && !tensor.Name.Contains("ffn_gate_inp", StringComparison.Ordinal);

    private static long[] ShapeOf(TensorData tensor) =>
        tensor.Slices > 1 ? [tensor.Columns, tensor.Rows / tensor.Slices, tensor.Slices]
        : tensor.Rows > 1 ? [tensor.Columns, tensor.Rows]
        : [tensor.Columns];

    private static float[] Decode(GgmlType type, ReadOnlySpan<byte> bytes, int count)
    {
        var values = new float[count];
        BlockDecoder.Decode(type, bytes, values);
        return values;
    }
}
