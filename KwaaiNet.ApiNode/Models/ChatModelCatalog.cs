using System.Collections.Immutable;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Models;

/// <summary>Opens the configured model files. Headers are read before the host listens; hashing gigabytes goes on behind it.</summary>
internal sealed partial class ChatModelCatalog(IOptions<ApiOptions> options, ILogger<ChatModelCatalog> logger) : BackgroundService, IChatModelCatalog
{
    private const string Opening = "its file is still being read";
    private const string Damaged = "its file could not be read to its end, or is damaged; the log of the API node says more";

    private readonly List<(string Id, ModelFile File)> _files = [];
    private ImmutableArray<ChatModel> _models = [];
    private ImmutableDictionary<string, string> _closed = ImmutableDictionary<string, string>.Empty;

    /// <inheritdoc/>
    public event Action? Changed;

    /// <inheritdoc/>
    public IReadOnlyList<ChatModel> Models => _models;

    /// <inheritdoc/>
    public ChatModel? Find(string id) => ModelNames.Find(_models.Select(model => model.Id), id) is { } name ? _models.First(model => model.Id == name) : null;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Closed => _closed;

    /// <inheritdoc/>
    public bool IsOpening(string id) => ModelNames.Find(_closed.Where(model => model.Value == Opening).Select(model => model.Key), id) is not null;

    /// <summary>Opens every file: one that is not a model stops the host with its name.</summary>
    /// <exception cref="ModelFormatException">A file is not a model, or has no tokenizer this engine knows.</exception>
    public override Task StartAsync(CancellationToken cancellationToken)
    {
        foreach (ApiModelOptions configured in options.Value.Models)
        {
            ModelFile file = ModelFile.Open(configured.Path);
            _files.Add((configured.Name, file));
            // Building the vocabulary here finds a tokenizer we do not know at the start and not at the first request.
            _ = file.Tokenizer;
            _ = file.RecommendedSampling;
            _ = file.ChatTemplate;
            _closed = _closed.Add(configured.Name, Opening);
        }

        return base.StartAsync(cancellationToken);
    }

    /// <inheritdoc/>
    public override void Dispose()
    {
        base.Dispose();
        foreach ((_, ModelFile file) in _files)
        {
            file.Dispose();
        }
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        foreach ((string id, ModelFile file) in _files)
        {
            string hash;
            try
            {
                hash = await Task.Run(() => file.WeightsHash, stoppingToken).ConfigureAwait(false);
            }
            catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ModelFormatException)
            {
                // Of a file that holds part of a model, reading to the end also finds what has changed since it was downloaded.
                LogUnreadable(exception, id, file.Path);
                _closed = _closed.SetItem(id, Damaged);
                Changed?.Invoke();
                continue;
            }

            _models = _models.Add(new ChatModel
            {
                Id = id,
                WeightsHash = hash,
                BlockCount = file.Shape.BlockCount,
                ContextLength = file.Shape.ContextLength,
                Width = file.Shape.Width,
                HiddenExceedsHalf = file.Shape.HiddenExceedsHalf,
                KvBytesPerBlockPosition = 2L * file.Shape.KvWidth * sizeof(float),
                Tokenizer = file.Tokenizer,
                ChatTemplate = file.ChatTemplate,
                Created = File.GetLastWriteTimeUtc(file.Path),
                WeightFormat = file.WeightFormat,
                RecommendedSampling = file.RecommendedSampling,
            });
            _closed = _closed.Remove(id);
            LogOpened(id, file.Path, hash, file.Shape.BlockCount, file.Shape.ContextLength);
            Changed?.Invoke();
        }
    }

    [LoggerMessage(LogLevel.Information, "Model {Model} opened from {Path}: sha256 {Hash}, {Blocks} blocks, context {Context}.")]
    private partial void LogOpened(string model, string path, string hash, int blocks, int context);

    [LoggerMessage(LogLevel.Error, "Model {Model} is not served: {Path} could not be read to its end, or is damaged.")]
    private partial void LogUnreadable(Exception exception, string model, string path);
}
