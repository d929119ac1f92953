using BenchmarkDotNet.Attributes;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;

namespace KwaaiNet.Benchmarks;

/// <summary>One session on the whole demo model, in this process: what a shard chain can reach at most.</summary>
/// <remarks>One operation is one token: a mean of 2 ms is 500 tok/s. <c>KWAAINET_MODEL</c> names another file. Nothing may be allocated once warm.</remarks>
[MemoryDiagnoser]
public class DecodeBenchmark
{
    private const int Prompt = 64;
    private ModelFile _model = null!;
    private IComputeBackend _backend = null!;
    private IBlockStack _stack = null!;
    private BlockStep[] _batch = null!;

    [Params("cpu")]
    public string Backend { get; set; } = "";

    [GlobalSetup]
    public void Load()
    {
        _model = ModelFile.Open(ShippedModel.Path);
        _backend = ComputeBackends.Create(Backend);
        _stack = _backend.Load(_model, new BlockStackOptions { FirstBlock = 0, EndBlock = _model.Shape.BlockCount, Embedding = true, OutputHead = true });
        KvCache cache = _stack.CreateCache(0, _model.Shape.BlockCount);
        BlockStep step = new() { Cache = cache, Rows = Prompt, Tokens = Enumerable.Range(1, Prompt).ToArray() };
        _batch = [step];
        _stack.Run(_batch);
        step.Rows = 1;
        step.Tokens = new[] { 1 };
        step.Logits = new float[_model.Shape.VocabularySize];
    }

    [Benchmark]
    public void DecodeOneToken()
    {
        // The same position again and again: the context, and with it the cost of a token, does not grow while it is measured.
        _batch[0].Cache.Truncate(Prompt);
        _stack.Run(_batch);
    }

    [GlobalCleanup]
    public void Unload()
    {
        _batch[0].Cache.Dispose();
        _stack.Dispose();
        _backend.Dispose();
        _model.Dispose();
    }
}
