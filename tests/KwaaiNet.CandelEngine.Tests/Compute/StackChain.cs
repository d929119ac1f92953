using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Stacks that cover a model between them, run one after the other as a chain of shards would.</summary>
internal sealed class StackChain : IDisposable
{
    private readonly List<IBlockStack> _stacks = [];

    /// <param name="model">The model.</param>
    /// <param name="backends">The backend of each stack.</param>
    /// <param name="cuts">Blocks at which a new stack starts, ascending; empty for one stack.</param>
    public StackChain(ModelFile model, IReadOnlyList<IComputeBackend> backends, params int[] cuts)
    {
        int[] edges = [0, .. cuts, model.Shape.BlockCount];
        for (int i = 0; i + 1 < edges.Length; i++)
        {
            _stacks.Add(backends[i % backends.Count].Load(model, new BlockStackOptions
            {
                FirstBlock = edges[i],
                EndBlock = edges[i + 1],
                Embedding = i == 0,
                OutputHead = i + 2 == edges.Length,
            }));
        }

        Shape = model.Shape;
    }

    public StackChain(ModelFile model, IComputeBackend backend, params int[] cuts)
        : this(model, [backend], cuts)
    {
    }

    public ModelShape Shape { get; }

    public IBlockStack First => _stacks[0];

    public Session Open(int capacity, HiddenFormat boundary = HiddenFormat.F16) => new(this, capacity, boundary);

    /// <summary>Logits at every position, computed in chunks of rows.</summary>
    public float[][] Logits(ReadOnlySpan<int> tokens, int chunk, HiddenFormat boundary = HiddenFormat.F16)
    {
        using Session session = Open(tokens.Length, boundary);
        List<float[]> all = [];
        for (int at = 0; at < tokens.Length; at += chunk)
            all.AddRange(session.Run(tokens.Slice(at, Math.Min(chunk, tokens.Length - at)).ToArray()));
        return [.. all];
    }

    /// <summary>Greedy continuation of a prompt.</summary>
    public int[] Greedy(int[] prompt, int count, HiddenFormat boundary = HiddenFormat.F16)
    {
        using Session session = Open(prompt.Length + count, boundary);
        List<int> tokens = [ArgMax(session.Run(prompt)[^1])];
        while (tokens.Count < count) tokens.Add(ArgMax(session.Run([tokens[^1]])[^1]));
        return [.. tokens];
    }

    public void Dispose()
    {
        foreach (IBlockStack stack in _stacks) stack.Dispose();
    }

    internal static int ArgMax(float[] logits) => Array.IndexOf(logits, logits.Max());

    /// <summary>One session's caches along the chain.</summary>
    internal sealed class Session : IDisposable
    {
        private readonly StackChain _chain;
        private readonly HiddenFormat _boundary;

        public Session(StackChain chain, int capacity, HiddenFormat boundary)
        {
            _chain = chain;
            _boundary = boundary;
            Caches = [.. chain._stacks.Select(s => s.CreateCache(s.Options.FirstBlock, s.Options.EndBlock))];
        }

        public KvCache[] Caches { get; }

        /// <summary>Runs the tokens as one step; returns the logits of every row.</summary>
        public float[][] Run(int[] tokens)
        {
            float[] hidden = [];
            var logits = new float[tokens.Length * _chain.Shape.VocabularySize];
            for (int i = 0; i < Caches.Length; i++)
            {
                bool last = i == Caches.Length - 1;
                var output = new float[last ? 0 : tokens.Length * _chain.Shape.Width];
                _chain._stacks[i].Run([new BlockStep
                {
                    Cache = Caches[i],
                    Rows = tokens.Length,
                    Tokens = i == 0 ? tokens : default(ReadOnlyMemory<int>),
                    Input = i == 0 ? default(ReadOnlyMemory<float>) : hidden,
                    Output = output,
                    Logits = last ? logits : default(Memory<float>),
                    Boundary = _boundary,
                }]);
                hidden = output;
            }

            return [.. logits.Chunk(_chain.Shape.VocabularySize)];
        }

        public void Truncate(int length)
        {
            foreach (KvCache cache in Caches) cache.Truncate(length);
        }

        public void Dispose()
        {
            foreach (KvCache cache in Caches) cache.Dispose();
        }
    }
}
