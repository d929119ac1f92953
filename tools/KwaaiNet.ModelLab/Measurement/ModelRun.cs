using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;

namespace KwaaiNet.ModelLab.Measurement;

/// <summary>A whole model in one stack on the CPU, float32 between its blocks: what the engine computes when nothing else rounds.</summary>
internal sealed class ModelRun : IDisposable
{
    private readonly ModelFile _file;
    private readonly IComputeBackend _backend = ComputeBackends.Create("cpu", new ComputeOptions());
    private readonly IBlockStack _stack;

    /// <summary>Opens and loads a model.</summary>
    /// <param name="path">The model file.</param>
    public ModelRun(string path)
    {
        _file = ModelFile.Open(path);
        _stack = _backend.Load(_file, new BlockStackOptions { FirstBlock = 0, EndBlock = _file.Shape.BlockCount, Embedding = true, OutputHead = true });
    }

    /// <summary>The open file.</summary>
    public ModelFile File => _file;

    /// <summary>Logits after every token of one sequence, <c>[tokens][vocabulary]</c>.</summary>
    public float[][] Logits(int[] tokens)
    {
        using KvCache cache = _stack.CreateCache(0, _file.Shape.BlockCount);
        return Step(cache, tokens);
    }

    /// <summary>Continues a sequence; the chooser sees each position's logits and names the next token.</summary>
    /// <param name="prompt">The tokens to start from.</param>
    /// <param name="count">How many to add.</param>
    /// <param name="choose">Picks a token from logits.</param>
    /// <returns>The added tokens.</returns>
    public int[] Continue(int[] prompt, int count, Func<float[], int> choose)
    {
        using KvCache cache = _stack.CreateCache(0, _file.Shape.BlockCount);
        List<int> added = [choose(Step(cache, prompt)[^1])];
        while (added.Count < count)
            added.Add(choose(Step(cache, [added[^1]])[0]));
        return [.. added];
    }

    /// <summary>The token of the greatest logit, the lowest id among equals.</summary>
    public static int Best(float[] logits) => Array.IndexOf(logits, logits.Max());

    /// <inheritdoc/>
    public void Dispose()
    {
        _stack.Dispose();
        _backend.Dispose();
        _file.Dispose();
    }

    private float[][] Step(KvCache cache, int[] tokens)
    {
        var logits = new float[tokens.Length * _file.Shape.VocabularySize];
        _stack.Run([new BlockStep { Cache = cache, Rows = tokens.Length, Tokens = tokens, Logits = logits, Boundary = HiddenFormat.F32 }]);
        return [.. logits.Chunk(_file.Shape.VocabularySize)];
    }
}
