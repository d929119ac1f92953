using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Configuration;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Serving;

/// <summary>Blocks of a model file, on a compute backend.</summary>
internal sealed partial class ModelBlockSource(IOptions<ShardOptions> options, ILogger<ModelBlockSource> logger) : IBlockSource
{
    private const long BytesPerMegabyte = 1L << 20;

    private readonly ShardOptions _options = options.Value;

    // A file that is being hashed or loaded is mapped: it must not be closed under a reader, however late the host is in stopping.
    private readonly Lock _lock = new();
    private ModelFile? _file;
    private IComputeBackend? _backend;

    /// <inheritdoc/>
    public ModelFacts Open(CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            _file = ModelFile.Open(_options.ModelPath);
            _backend = CreateBackend();
            string name = _options.Model ?? ModelPath.NameOf(_options.ModelPath);
            return new ModelFacts(name, _file.WeightsHash, _file.WeightFormat, _file.Shape, _backend.Name, _backend.Device.Name);
        }
    }

    /// <inheritdoc/>
    public IBlockStack Load(BlockRange range, CancellationToken cancellationToken)
    {
        lock (_lock)
        {
            cancellationToken.ThrowIfCancellationRequested();
            BlockStackOptions blocks = new()
            {
                FirstBlock = range.First,
                EndBlock = range.End,
                Embedding = range.First == 0,
                OutputHead = range.End == _file!.Shape.BlockCount,
                KvBudgetBytes = _options.KvBudgetMegabytes * BytesPerMegabyte,
            };
            return _backend!.Load(_file, blocks, new LoadProgress(this, range), cancellationToken);
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _backend?.Dispose();
            _file?.Dispose();
        }
    }

    private IComputeBackend CreateBackend()
    {
        ComputeOptions compute = new() { Cpu = new CpuOptions { Threads = _options.Threads } };
        return ComputeBackends.Create(_options.Backend.ToLowerInvariant(), compute);
    }

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
