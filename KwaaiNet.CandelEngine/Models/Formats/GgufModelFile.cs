using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models.Architectures;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Templates;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Models.Formats;

/// <summary>A model in a GGUF file.</summary>
/// <remarks>A model with tied embeddings has no <c>output.weight</c>; its output matrix is <c>token_embd.weight</c>.</remarks>
public sealed class GgufModelFile : ModelFile
{
    private readonly GgufFile _file;
    private readonly Lazy<ITokenizer> _tokenizer;
    private readonly Lazy<ChatTemplate?> _chatTemplate;
    private readonly Lazy<string> _partHash;

    private GgufModelFile(GgufFile file)
    {
        _file = file;
        if (file.Metadata.GetInt32(GgufFile.SplitCountKey) is > 1 and int parts && file.PartCount != parts)
            throw file.Metadata.Problem($"one of {parts} parts of a split model, without the others.");
        Part = GgufPart.Read(file);
        Shape = KnownArchitectures.ReadShape(file);
        Name = file.Metadata.GetString("general.name") is { Length: > 0 } name ? name : System.IO.Path.GetFileNameWithoutExtension(GgufPartName.Parse(file.Path) is { } part ? part.Stem + ".gguf" : file.Path);
        WeightFormat = Part?.WeightFormat ?? MostCommonType(file);
        _partHash = new Lazy<string>(() =>
        {
            Part!.Verify();
            return Part.SourceSha256;
        });
        _tokenizer = new Lazy<ITokenizer>(() => GgufTokenizer.Create(file.Metadata));
        _chatTemplate = new Lazy<ChatTemplate?>(() => GgufChatTemplate.Create(file.Metadata));
    }

    /// <summary>The file under the model.</summary>
    public GgufFile File => _file;

    /// <summary>What the file holds of its source; null for a whole model. A part's hash is its source's, after every tensor was compared with its own digest.</summary>
    public GgufPart? Part { get; }

    /// <inheritdoc/>
    public override string Path => _file.Path;

    /// <inheritdoc/>
    public override string Name { get; }

    /// <inheritdoc/>
    public override ModelShape Shape { get; }

    /// <inheritdoc/>
    public override string WeightFormat { get; }

    /// <inheritdoc/>
    public override long FileBytes => _file.Length;

    /// <inheritdoc/>
    public override int PartCount => _file.PartCount;

    /// <inheritdoc/>
    public override string WeightsHash => Part is null ? _file.Sha256 : _partHash.Value;

    /// <inheritdoc/>
    public override ITokenizer Tokenizer => _tokenizer.Value;

    /// <inheritdoc/>
    public override ChatTemplate? ChatTemplate => _chatTemplate.Value;

    /// <inheritdoc/>
    public override RecommendedSampling RecommendedSampling => GgufRecommendedSampling.Read(_file.Metadata);

    /// <inheritdoc/>
    public override IReadOnlyList<string> TensorNames => _file.TensorNames;

    /// <summary>Opens a model in a GGUF file.</summary>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="ModelFormatException">The file is not GGUF, is truncated, lies about itself, or uses something this engine does not run.</exception>
    public static GgufModelFile Open(string path) => Open(GgufFile.Open(path));

    /// <summary>The model in an open file, which is the model's from here on.</summary>
    internal static GgufModelFile Open(GgufFile file)
    {
        try
        {
            return new GgufModelFile(file);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool TryGetTensor(string name, out TensorData tensor) => _file.TryGetTensor(name, out tensor);

    /// <inheritdoc/>
    public override void RequireBlocks(int first, int end) => Part?.Require(first, end);

    /// <inheritdoc/>
    public override void GiveBackPages(TensorData tensor) => _file.GiveBackPages(tensor);

    /// <inheritdoc/>
    public override void Dispose() => _file.Dispose();

    /// <summary>The type with most numbers; norms are F32 in every model and few.</summary>
    private static string MostCommonType(GgufFile file)
    {
        Dictionary<GgmlType, long> elements = [];
        foreach (string name in file.TensorNames)
        {
            file.TryGetTensor(name, out TensorData tensor);
            elements[tensor.Type] = elements.GetValueOrDefault(tensor.Type) + ((long)tensor.Rows * tensor.Columns);
        }

        return elements.Count == 0 ? "none" : elements.MaxBy(pair => pair.Value).Key.ToString();
    }
}
