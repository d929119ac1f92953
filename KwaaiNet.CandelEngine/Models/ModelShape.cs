namespace KwaaiNet.CandelEngine.Models;

/// <summary>A model's dimensions and constants, as its metadata gives them.</summary>
public sealed record ModelShape
{
    /// <summary>The architecture's name in GGUF: <c>llama</c>.</summary>
    public required string Architecture { get; init; }

    /// <summary>Transformer blocks.</summary>
    public required int BlockCount { get; init; }

    /// <summary>Numbers in one hidden state.</summary>
    public required int Width { get; init; }

    /// <summary>Query heads.</summary>
    public required int HeadCount { get; init; }

    /// <summary>Key and value heads; divides <see cref="HeadCount"/>.</summary>
    public required int KvHeadCount { get; init; }

    /// <summary>Numbers in one head.</summary>
    public required int HeadSize { get; init; }

    /// <summary>Width of the gated feed-forward layer.</summary>
    public required int FeedForwardWidth { get; init; }

    /// <summary>Rows of the embedding; token ids are below it.</summary>
    public required int VocabularySize { get; init; }

    /// <summary>Positions the model was made for.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Added under the root in RMSNorm.</summary>
    public required float RmsEpsilon { get; init; }

    /// <summary>RoPE's base frequency.</summary>
    public required float RopeBase { get; init; }

    /// <summary>Numbers of a head that RoPE turns; even, at most <see cref="HeadSize"/>.</summary>
    public required int RopeSize { get; init; }

    /// <summary>Numbers in one position's key (or value) of one block.</summary>
    public int KvWidth => KvHeadCount * HeadSize;
}
