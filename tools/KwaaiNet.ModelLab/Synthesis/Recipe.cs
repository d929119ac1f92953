using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.ModelLab.Synthesis;

/// <summary>A small model of random weights in one architecture's clothes: which metadata and tensors its real converters write.</summary>
/// <remarks>
/// Rows are multiples of 256 numbers, so that every tensor type fits. Windows, contexts and scales are small enough that a prompt of
/// <see cref="ProbePrompt.Length"/> tokens crosses them: what is not reached is not compared.
/// </remarks>
internal sealed record Recipe
{
    /// <summary>The name the tool knows it by.</summary>
    public required string Name { get; init; }

    /// <summary><c>general.architecture</c>; also the prefix of the model's own keys.</summary>
    public required string Architecture { get; init; }

    /// <summary>What this one is made to exercise, for people.</summary>
    public required string Exercises { get; init; }

    /// <summary>Transformer blocks: two, or as many as it takes to meet the first block that is different.</summary>
    public int Blocks { get; init; } = 2;

    /// <summary>Numbers in a hidden state.</summary>
    public int Width { get; init; } = 256;

    /// <summary>Query heads.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Key and value heads.</summary>
    public int KvHeads { get; init; } = 2;

    /// <summary>Numbers in a head; where it is not <see cref="Width"/> / <see cref="Heads"/> the file says so with <c>attention.key_length</c>.</summary>
    public int HeadSize { get; init; } = 64;

    /// <summary>Width of the feed-forward layer, or of one expert's.</summary>
    public int FeedForward { get; init; } = 512;

    /// <summary><c>context_length</c>.</summary>
    public int Context { get; init; } = 128;

    /// <summary>Experts in each block; 0 for none.</summary>
    public int Experts { get; init; }

    /// <summary>Experts that one token takes.</summary>
    public int ExpertsUsed { get; init; }

    /// <summary>Biases on queries, keys and values.</summary>
    public bool ProjectionBias { get; init; }

    /// <summary>RMSNorm over each head's queries and keys.</summary>
    public bool HeadNorms { get; init; }

    /// <summary>A norm after attention and after feed-forward, beside those before.</summary>
    public bool PostNorms { get; init; }

    /// <summary>Queries, keys and values in one matrix; gate and up in one.</summary>
    public bool Fused { get; init; }

    /// <summary>An output matrix of its own; otherwise the embedding serves.</summary>
    public bool OutputMatrix { get; init; }

    /// <summary>Standard deviation of an embedding's numbers.</summary>
    public float EmbeddingDeviation { get; init; } = 0.1f;

    /// <summary>Tensors that the model has once: divisors of RoPE's frequencies, by name and from the head's half size.</summary>
    public IReadOnlyList<(string Name, Func<int, float[]> Values)> RopeTensors { get; init; } = [];

    /// <summary>Positions at which llama.cpp and we mean the same by the file; the rest of the prompt is left out of a comparison with it.</summary>
    public int PeerPositions { get; init; } = ProbePrompt.Length;

    /// <summary>Why <see cref="PeerPositions"/> is not the whole prompt; null where it is.</summary>
    public string? PeerLimit { get; init; }

    /// <summary>Writes the keys that only this architecture has; the second argument is the prefix with its dot.</summary>
    public Action<GgufWriter, string>? Metadata { get; init; }
}
