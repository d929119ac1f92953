using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Safetensors.Configuration;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Safetensors;

/// <summary>The tensors of a model by GGUF's names, each of a type and shape that can be run.</summary>
internal sealed class NamedTensors
{
    private const string Embedding = "token_embd.weight";
    private const string Output = "output.weight";
    private const int MaximumRank = 4;

    private readonly string _path;
    private readonly Dictionary<string, (SafetensorsTensor Source, TensorData Data)> _tensors = new(StringComparer.Ordinal);

    /// <param name="path">The model, for messages.</param>
    /// <param name="weights">Its tensors.</param>
    /// <param name="kind">What they are called.</param>
    /// <param name="tied">Whether the embedding is the output matrix too; null when nothing says so.</param>
    /// <exception cref="ModelFormatException">A tensor is no part of such a model, or of a type or shape that is not run, or the output matrix is missing.</exception>
    public NamedTensors(string path, SafetensorsWeights weights, HuggingFaceArchitecture kind, bool? tied)
    {
        _path = path;
        foreach (SafetensorsTensor tensor in weights.Tensors)
        {
            string name = Configuration.TensorNames.ToGguf(kind, tensor.Name)
                ?? throw new ModelFormatException($"{path}: the tensor '{tensor.Name}' is no part of a model of the kind '{kind.ModelType}' as this engine knows it. Take a GGUF conversion of the model.");
            // A tied model's file may hold the matrix a second time.
            if (name.Length == 0 || (name == Output && tied == true))
                continue;
            if (!_tensors.TryAdd(name, (tensor, Describe(name, tensor))))
                throw new ModelFormatException($"{path}: '{tensor.Name}' and '{_tensors[name].Source.Name}' are the same part of the model, '{name}'. The files are damaged or of two models: download them again.");
        }

        if (tied == false && !_tensors.ContainsKey(Output))
            throw new ModelFormatException($"{path}: the tensor 'lm_head.weight' is missing, and {ModelFolder.Configuration} says that the embedding does not stand for it. Download all files of the model.");
    }

    /// <summary>All names, in the files' order.</summary>
    public IReadOnlyCollection<string> Names => _tensors.Keys;

    /// <summary>Rows of the token embedding; null when there is none.</summary>
    public int? EmbeddingRows => _tensors.TryGetValue(Embedding, out (SafetensorsTensor Source, TensorData Data) found) ? found.Data.Rows : null;

    /// <summary>The type with most numbers.</summary>
    public string MostCommonType => _tensors.Count == 0
        ? "none"
        : _tensors.Values.GroupBy(tensor => tensor.Data.Type).MaxBy(group => group.Sum(tensor => (long)tensor.Data.Rows * tensor.Data.Columns))!.Key.ToString();

    /// <summary>Looks a tensor up.</summary>
    public bool TryGet(string name, out SafetensorsTensor source, out TensorData data)
    {
        bool found = _tensors.TryGetValue(name, out (SafetensorsTensor Source, TensorData Data) tensor);
        (source, data) = tensor;
        return found;
    }

    private TensorData Describe(string name, SafetensorsTensor tensor)
    {
        GgmlType type = tensor.Type switch
        {
            SafetensorsType.F32 => GgmlType.F32,
            SafetensorsType.F16 => GgmlType.F16,
            SafetensorsType.BF16 => GgmlType.BF16,
            _ => throw new ModelFormatException($"{_path}: tensor '{tensor.Name}' is stored as {tensor.Type.HeaderName()}; from safetensors this engine runs F32, F16 and BF16. Take the model in one of these, or a GGUF conversion."),
        };
        int rank = tensor.Shape.Count;
        long rows = 1;
        long slices = 1;
        bool fits = rank is > 0 and <= MaximumRank && tensor.Shape.All(length => length is > 0 and <= int.MaxValue);
        for (int i = 0; fits && i < rank - 1; i++)
        {
            rows *= tensor.Shape[i];
            slices = i < rank - 2 ? rows : slices;
            fits = rows <= int.MaxValue;
        }

        return fits
            ? new TensorData(name, type, (int)rows, (int)tensor.Shape[^1], tensor.Address, tensor.ByteLength, (int)slices)
            : throw new ModelFormatException($"{_path}: tensor '{tensor.Name}' has the shape [{string.Join(", ", tensor.Shape)}], which no part of a model has. The file is damaged: download it again.");
    }
}
