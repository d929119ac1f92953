using KwaaiNet.CandelEngine.Files;
using KwaaiNet.ModelStore.Digests;
using KwaaiNet.ModelStore.Local;
using KwaaiNet.ModelStore.Parts;
using KwaaiNet.ModelStore.Progress;
using KwaaiNet.ModelStore.References;
using KwaaiNet.ModelStore.Sources;
using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Pulling;

/// <summary>Brings models into the store's folder. Safe for concurrent use, also by several processes: a file is fetched by one at a time.</summary>
public sealed class ModelPuller : IDisposable
{
    private const int MostTextBytes = 1 << 20;
    private const string WholeVerified = "every file's digest is the one its publisher names";

    private readonly ModelStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private readonly Func<string, long?> _freeSpace;

    /// <summary>Makes a puller.</summary>
    /// <param name="options">Where from, where to.</param>
    /// <param name="time">The clock of retries.</param>
    /// <exception cref="ModelStoreException">An option cannot be.</exception>
    public ModelPuller(ModelStoreOptions options, TimeProvider time)
        : this(options, time, DiskSpace.Free)
    {
    }

    internal ModelPuller(ModelStoreOptions options, TimeProvider time, Func<string, long?> freeSpace)
    {
        ArgumentNullException.ThrowIfNull(options);
        options.Check();
        _options = options;
        _time = time;
        _freeSpace = freeSpace;
        _http = RemoteReader.CreateClient();
    }

    /// <summary>Pulls a model, or some blocks of one.</summary>
    /// <param name="request">What.</param>
    /// <param name="progress">Hears what happens, on the thread that does it.</param>
    /// <param name="cancellationToken">Stops; what has come stays, and a later pull goes on with it.</param>
    /// <exception cref="ModelStoreException">It cannot be had, or is not what its publisher says.</exception>
    public async Task<PullResult> PullAsync(PullRequest request, IProgress<PullEvent> progress, CancellationToken cancellationToken)
    {
        ArgumentNullException.ThrowIfNull(request);
        FileTransfer transfer = new(new RemoteReader(_http, _time), _options, _time, progress);
        ModelReference reference = ModelReference.Parse(request.Reference);
        RemoteModel model = await FindAsync(transfer, reference, cancellationToken).ConfigureAwait(false);
        foreach (string note in model.Notes) progress.Report(PullEvent.Note(note));
        try
        {
            Directory.CreateDirectory(_options.Folder);
            PullResult? result = request.Blocks is { } blocks
                ? await PullBlocksAsync(transfer, model, blocks, request.Digests, progress, cancellationToken).ConfigureAwait(false)
                : null;
            result ??= await PullWholeAsync(transfer, model, progress, cancellationToken).ConfigureAwait(false);
            await WriteCardAsync(transfer, model, result, cancellationToken).ConfigureAwait(false);
            return result;
        }
        catch (IOException exception)
        {
            throw new ModelStoreException($"{model.Name} cannot be kept: {exception.Message}", $"make room on the disk of {_options.Folder}, or name another folder in KWAAINET_HOME, and pull again: what has come is kept.", exception);
        }
        catch (UnauthorizedAccessException exception)
        {
            throw new ModelStoreException($"{model.Name} cannot be kept: {exception.Message}", $"make {_options.Folder} writable, or name another folder in KWAAINET_HOME.", exception);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<RemoteModel> FindAsync(FileTransfer transfer, ModelReference reference, CancellationToken cancellationToken)
    {
        IModelSource[] sources = [new OllamaRegistry(transfer, _options), new HuggingFaceHub(transfer, _options)];
        foreach (IModelSource source in sources)
        {
            if (await source.FindAsync(reference, cancellationToken).ConfigureAwait(false) is { } model) return model;
        }

        throw new ModelStoreException($"Nobody publishes '{reference}'.", "write llama3.1:8b or hf:owner/repo/file.gguf.");
    }

    private string PathOf(RemoteModel model) => Path.Combine([_options.Folder, .. model.LocalName.Split('/')]);

    private static string CatalogName(RemoteModel model) => model.LocalName.Replace('/', ':');

    private async Task<PullResult> PullWholeAsync(FileTransfer transfer, RemoteModel model, IProgress<PullEvent> progress, CancellationToken cancellationToken)
    {
        string place = PathOf(model);
        bool isFolder = model.IsFolder || model.Files.Count > 1;
        string[] paths = isFolder ? [.. model.Files.Select(file => Path.Combine(place, file.Name))] : [place + ".gguf"];
        long missing = model.Files.Zip(paths).Sum(pair => Math.Max(0, (pair.First.Size ?? 0) - Here(pair.Second)));
        DiskSpace.Require(_options.Folder, model.Name, missing, _freeSpace);

        FileDownload download = new(transfer, _freeSpace, progress);
        List<FileOutcome> outcomes = [];
        for (int i = 0; i < paths.Length; i++)
        {
            using FileLock _ = await FileLock.TakeAsync(_options.Folder, paths[i], progress, _time, cancellationToken).ConfigureAwait(false);
            outcomes.Add(await download.RunAsync(model.Files[i], paths[i], cancellationToken).ConfigureAwait(false));
        }

        // A catalog knows a split model by the name of its first part.
        string name = isFolder && !model.IsFolder ? $"{CatalogName(model)}:{Path.GetFileNameWithoutExtension(paths[0])}" : CatalogName(model);
        return new PullResult(model.Name, name, model.IsFolder ? place : paths[0], outcomes)
        {
            PublishedBytes = outcomes.Sum(outcome => outcome.Bytes),
            Verified = outcomes.All(outcome => outcome.IsVerified)
                ? WholeVerified
                : "the publisher names no digest for some files: they are kept as they came",
        };
    }

    private async Task<PullResult?> PullBlocksAsync(
        FileTransfer transfer, RemoteModel model, WantedBlocks blocks, string? digests, IProgress<PullEvent> progress, CancellationToken cancellationToken)
    {
        if (model.Files.Count != 1 || !model.Files[0].IsGguf)
        {
            throw new ModelStoreException(
                $"{model.Name} consists of {model.Files.Count} files; blocks can be pulled of a model that is one GGUF file.", "pull it whole, without --blocks, or choose a model in one file.");
        }

        RemoteFile file = model.Files[0];
        string place = PathOf(model);
        if (File.Exists(place + ".gguf") && await new FileDownload(transfer, _freeSpace, progress).IsAlreadyThereAsync(file, place + ".gguf", cancellationToken).ConfigureAwait(false))
        {
            progress.Report(PullEvent.Note($"{model.Name} is here whole already."));
            return new PullResult(model.Name, CatalogName(model), place + ".gguf", [new FileOutcome(place + ".gguf", new FileInfo(place + ".gguf").Length, file.Sha256, 0, 0, WasThere: true)])
            {
                PublishedBytes = new FileInfo(place + ".gguf").Length,
                Verified = WholeVerified,
            };
        }

        TensorDigests? known = digests is null ? null : await ReadDigestsAsync(transfer, digests, cancellationToken).ConfigureAwait(false);
        using FileLock _ = await FileLock.TakeAsync(_options.Folder, PathFor(blocks.First, blocks.End), progress, _time, cancellationToken).ConfigureAwait(false);
        try
        {
            FileOutcome outcome = await new PartDownload(transfer, _freeSpace, progress)
                .RunAsync(model.Name, file, blocks, PathFor, known, cancellationToken).ConfigureAwait(false);
            return new PullResult(model.Name, $"{CatalogName(model)}{Suffix(blocks.First, blocks.End)}", outcome.Path, [outcome])
            {
                PublishedBytes = file.Size ?? outcome.Bytes,
                Blocks = blocks.ToString(),
                Verified = outcome.IsVerified
                    ? "every tensor's digest is the one in the list of digests"
                    : "the publisher's SHA-256 is of the whole file and cannot be checked on a part; each tensor's own was noted, and is checked whenever the file is opened to be served",
            };
        }
        catch (RangesRefusedException)
        {
            progress.Report(PullEvent.Note($"{file.Address.Authority} sends whole files only: pulling {model.Name} whole."));
            return null;
        }

        string PathFor(int first, int end) => $"{place}{Suffix(first, end)}.gguf";
    }

    private static string Suffix(int first, int end) => end > first ? $".blocks-{first}-{end - 1}" : ".header";

    private static async Task<TensorDigests> ReadDigestsAsync(FileTransfer transfer, string place, CancellationToken cancellationToken)
    {
        if (Uri.TryCreate(place, UriKind.Absolute, out Uri? address) && address.Scheme is "http" or "https")
            return TensorDigests.Read(await transfer.ReadAllAsync(new RemoteFile(place, address!, null, null), TensorDigests.MostBytes, cancellationToken).ConfigureAwait(false), place);
        if (!File.Exists(place)) throw new ModelStoreException($"There is no list of digests at {Path.GetFullPath(place)}.", "check the path given to --digests.");
        try
        {
            RegularFile.Require(place);
        }
        catch (ModelFormatException exception)
        {
            throw new ModelStoreException(exception.Message, "check the path given to --digests.", exception);
        }

        return TensorDigests.Read(await File.ReadAllBytesAsync(place, cancellationToken).ConfigureAwait(false), place);
    }

    private async Task WriteCardAsync(FileTransfer transfer, RemoteModel model, PullResult result, CancellationToken cancellationToken)
    {
        if (result.WasThere && File.Exists(ModelCard.PathFor(result.Path))) return;
        Dictionary<string, string> texts = [];
        foreach ((string kind, RemoteFile text) in model.Texts)
        {
            byte[] bytes = await transfer.ReadAllAsync(text, MostTextBytes, cancellationToken).ConfigureAwait(false);
            string actual = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes));
            if (text.Sha256 is not null && actual != text.Sha256)
                throw new ModelStoreException($"The {kind} of {model.Name} are not what the manifest names: SHA-256 {text.Sha256} is expected and {actual} came.", "pull it again.");
            texts[kind] = System.Text.Encoding.UTF8.GetString(bytes);
        }

        new ModelCard
        {
            Source = model.Name,
            Address = model.Files[0].Address.ToString(),
            Sha256 = result.Files.Count == 1 ? result.Files[0].Sha256 : null,
            Blocks = result.Blocks,
            Pulled = _time.GetUtcNow(),
            Parameters = ModelCard.ReadParameters(texts.GetValueOrDefault("params")),
            System = texts.GetValueOrDefault("system"),
            Template = texts.GetValueOrDefault("template"),
            License = texts.GetValueOrDefault("license"),
        }.Write(result.Path);
    }

    private static long Here(string path)
    {
        FileInfo whole = new(path);
        FileInfo part = new(path + ".part");
        return whole.Exists ? whole.Length : part.Exists ? part.Length : 0;
    }
}
