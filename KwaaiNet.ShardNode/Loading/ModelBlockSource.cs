using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Configuration;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Loading;

/// <summary>Blocks of a model file, on a compute backend.</summary>
internal sealed partial class ModelBlockSource(IOptions<ShardOptions> options, IModelFiles files, ILogger<ModelBlockSource> logger) : IBlockSource
{
    private const long BytesPerMegabyte = 1L << 20;

    private readonly ShardOptions _options = options.Value;

    // A file that is being hashed or loaded is mapped: it must not be closed under a reader, however late the host is in stopping.
    // Held while a file is read, never while one is fetched.
    private readonly Lock _lock = new();
    private ModelFile? _file;

    // Files of blocks that were served before stay mapped: their stacks may not have been let go yet.
    private readonly List<ModelFile> _parts = [];
    private IComputeBackend? _backend;

    /// <inheritdoc/>
    public async Task<OpenedModel> OpenAsync(CancellationToken cancellationToken)
    {
        string path = await files.ForMetadataAsync(cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Open(path, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public async Task<IBlockStack> LoadAsync(BlockRange range, CancellationToken cancellationToken)
    {
        string path = await files.ForBlocksAsync(range, cancellationToken).ConfigureAwait(false);
        return await Task.Run(() => Load(range, path, cancellationToken), cancellationToken).ConfigureAwait(false);
    }

    private OpenedModel Open(string path, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _file = ModelFile.Open(path);
            _backend = CreateBackend();
            string name = _options.Model ?? ModelPath.NameOf(_options.ModelPath);
            return new OpenedModel(name, _file.WeightsHash, _file.WeightFormat, _file.Shape, _backend.Name, _backend.Device.Name, _backend.Device.Kind);
        }
    }

    private IBlockStack Load(BlockRange range, string path, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            return _backend!.Load(FileAt(path), StackOptions(range), new LoadProgress(this, range), cancellationToken);
        }
    }

    /// <inheritdoc/>
    public BlockMemory? MemoryFor(BlockRange range)
    {
        lock (_lock)
        {
            // A header that was pulled ahead of its blocks says nothing of tensors.
            return _file is GgufModelFile { Part: { } part } && (range.First < part.FirstBlock || range.End > part.EndBlock)
                ? null
                : _backend!.MemoryFor(_file!, StackOptions(range));
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _backend?.Dispose();
            _file?.Dispose();
            _parts.ForEach(part => part.Dispose());
        }
    }

    private ModelFile FileAt(string path)
    {
        if (path == _file!.Path) return _file;
        ModelFile part = ModelFile.Open(path);
        _parts.Add(part);

        // Reads all of it: what was downloaded is what is served, and of the very file that was announced.
        return part.WeightsHash == _file.WeightsHash
            ? part
            : throw new ModelFormatException($"{path} is part of another file than {_file.Path}: the model has changed at its publisher. Remove both and start again.");
    }

    private BlockStackOptions StackOptions(BlockRange range) => new()
    {
        FirstBlock = range.First,
        EndBlock = range.End,
        Embedding = range.First == 0,
        OutputHead = range.End == _file!.Shape.BlockCount,
        KvBudgetBytes = _options.KvBudgetMegabytes * BytesPerMegabyte,
        KvFormat = Enum.Parse<KvFormat>(_options.KvFormat, ignoreCase: true),
    };

    private IComputeBackend CreateBackend()
    {
        ComputeOptions compute = new()
        {
            Cpu = new CpuOptions { Threads = _options.Threads },
            Ilgpu = new IlgpuOptions { DeviceIndex = _options.Device },
            Told = LogNoGpu,
        };

        // Whoever names an accelerator does not want the processor.
        return ComputeBackends.Create(_options.Device is null ? _options.Backend.ToLowerInvariant() : "ilgpu", compute);
    }

    [LoggerMessage(LogLevel.Information, "No GPU: {Reason}")]
    private partial void LogNoGpu(string reason);

    [LoggerMessage(LogLevel.Debug, "Loading blocks {Blocks}: {Percent} %.")]
    private partial void LogProgress(BlockRange blocks, int percent);

    /// <summary>Says every tenth of a load.</summary>
    private sealed class LoadProgress(ModelBlockSource source, BlockRange range) : IProgress<double>
    {
        private int _tenths;

        public void Report(double value)
        {
            int tenths = (int)(value * 10);
            if (tenths <= _tenths) return;

            _tenths = tenths;
            source.LogProgress(range, tenths * 10);
        }
    }
}
