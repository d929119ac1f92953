using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Safetensors.Configuration;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.HuggingFace;
using KwaaiNet.CandelEngine.Text.Templates;

namespace KwaaiNet.CandelEngine.Safetensors;

/// <summary>A model as it is published on Hugging Face: a folder of <c>config.json</c>, <c>tokenizer.json</c> and <c>.safetensors</c> files.</summary>
/// <remarks>
/// Tensors go by GGUF's names. Matrices are the mapped file's; vectors are float32 copies, to which Gemma's missing 1 is added. Each expert
/// of a mixture is a tensor of its own, <c>blk.0.ffn_up.3.weight</c>. RoPE's computed divisors appear as the tensors that GGUF stores them in.
/// </remarks>
public sealed class SafetensorsModelFile : ModelFile
{
    private readonly SafetensorsWeights _weights;
    private readonly ModelConfiguration _configuration;
    private readonly NamedTensors _tensors;
    private readonly VectorCopies _vectors = new();
    private readonly Lazy<TokenizerNotes> _notes;
    private readonly Lazy<HuggingFaceTokenizer> _tokenizer;
    private readonly Lazy<ChatTemplate?> _chatTemplate;
    private readonly Lazy<RecommendedSampling> _sampling;
    private readonly Lazy<string> _hash;
    private bool _disposed;

    private SafetensorsModelFile(string path, string folder, SafetensorsWeights weights)
    {
        Path = path;
        _weights = weights;
        Name = System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(folder));
        ConfigJson config = ConfigJson.OpenIfThere(System.IO.Path.Combine(folder, ModelFolder.Configuration))
            ?? throw new ModelFormatException($"{path}: there is no {ModelFolder.Configuration} beside the weights. Download the model's whole folder.");
        HuggingFaceArchitecture kind = HuggingFaceArchitectures.Find(config);
        ModelConfiguration.RefuseQuantized(config);
        _tensors = new NamedTensors(path, weights, kind, ModelConfiguration.IsTied(config, kind));
        _configuration = ModelConfiguration.Read(config, kind, _tensors.EmbeddingRows);
        TensorNames = [.. _tensors.Names, .. _configuration.RopeTensors.Keys];
        _notes = new Lazy<TokenizerNotes>(() => FolderNotes.Read(folder));
        _tokenizer = new Lazy<HuggingFaceTokenizer>(() => OpenTokenizer(folder));
        _chatTemplate = new Lazy<ChatTemplate?>(() => OpenTemplate(folder));
        _sampling = new Lazy<RecommendedSampling>(() => FolderSampling.Read(folder));
        _hash = new Lazy<string>(() => weights.Sha256);
    }

    /// <inheritdoc/>
    public override string Path { get; }

    /// <summary>The folder's name.</summary>
    public override string Name { get; }

    /// <inheritdoc/>
    public override ModelShape Shape => _configuration.Shape;

    /// <inheritdoc/>
    public override string WeightFormat => _tensors.MostCommonType;

    /// <summary>Size of all weight files in bytes.</summary>
    public override long FileBytes => _weights.Length;

    /// <inheritdoc/>
    public override int PartCount => _weights.FileCount;

    /// <summary>SHA-256 of the weight file, lower-case hex. Of several: SHA-256 over "name, zero byte, SHA-256 in hex, line feed" of each, in the order of their names.</summary>
    public override string WeightsHash => _hash.Value;

    /// <inheritdoc/>
    public override ITokenizer Tokenizer => _tokenizer.Value;

    /// <inheritdoc/>
    public override ChatTemplate? ChatTemplate => _chatTemplate.Value;

    /// <inheritdoc/>
    public override RecommendedSampling RecommendedSampling => _sampling.Value;

    /// <inheritdoc/>
    public override IReadOnlyList<string> TensorNames { get; }

    /// <summary>Opens a model.</summary>
    /// <param name="path">The folder, its <c>.safetensors</c> file, or its index.</param>
    /// <exception cref="FileNotFoundException">There is no such file or folder, or one that the index names is missing.</exception>
    /// <exception cref="ModelFormatException">A file is missing, damaged, or lies; or the model uses something this engine does not run.</exception>
    public static SafetensorsModelFile Open(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = System.IO.Path.GetFullPath(path);
        bool isFolder = Directory.Exists(path);
        string folder = isFolder ? path : System.IO.Path.GetDirectoryName(path)!;
        SafetensorsWeights weights = SafetensorsWeights.Open(isFolder ? SafetensorsWeights.FindIn(folder) : ModelFolder.WholeOf(path));
        try
        {
            return new SafetensorsModelFile(path, folder, weights);
        }
        catch
        {
            weights.Dispose();
            throw;
        }
    }

    /// <inheritdoc/>
    public override bool TryGetTensor(string name, out TensorData tensor)
    {
        ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed), this);
        if (_configuration.RopeTensors.TryGetValue(name, out float[]? divisors))
        {
            tensor = _vectors.Get(name, divisors);
            return true;
        }

        if (!_tensors.TryGet(name, out SafetensorsTensor source, out tensor))
            return false;
        if (source.Shape.Count == 1)
            tensor = _vectors.Get(name, source, _configuration.Kind.NormsLessOne && name.EndsWith("norm.weight", StringComparison.Ordinal) ? 1 : 0);
        return true;
    }

    /// <inheritdoc/>
    public override void GiveBackPages(TensorData tensor) => _weights.GiveBackPages(tensor.Address, tensor.ByteLength);

    /// <inheritdoc/>
    public override void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, true))
            return;
        _vectors.Dispose();
        _weights.Dispose();
    }

    private JinjaChatTemplate? OpenTemplate(string folder)
    {
        if (_notes.Value is not { ChatTemplate: { } source } notes)
            return null;
        try
        {
            return new JinjaChatTemplate(source, notes.Bos ?? "", notes.Eos ?? "", TimeProvider.System);
        }
        catch (ChatTemplateException e)
        {
            throw new ModelFormatException($"{System.IO.Path.Combine(folder, notes.ChatTemplateFile ?? "")}: {e.Message} Download the file again, or mend it.", e);
        }
    }

    private HuggingFaceTokenizer OpenTokenizer(string folder)
    {
        string path = System.IO.Path.Combine(folder, ModelFolder.Tokenizer);
        return File.Exists(path)
            ? HuggingFaceTokenizer.Open(path, _notes.Value)
            : throw new ModelFormatException($"{Path}: there is no {ModelFolder.Tokenizer} beside the weights. Download it into the folder; a model that has only tokenizer.model can be taken as a GGUF conversion.");
    }
}
