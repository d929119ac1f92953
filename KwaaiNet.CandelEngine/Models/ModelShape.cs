namespace KwaaiNet.CandelEngine.Models;

/// <summary>A model's dimensions and constants, as its metadata gives them: what makes the one parameterised block the model's own.</summary>
/// <remarks>
/// What is required is in every model. The rest says how an architecture departs from the plain Llama block, and by default does not:
/// RMSNorm, attention with RoPE on neighbouring pairs over all positions, RMSNorm, SiLU-gated feed-forward layer, each added to the residual.
/// </remarks>
public sealed record ModelShape
{
    private readonly float? _attentionScale;

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

    /// <summary>RoPE's base frequency, in blocks that <see cref="Attention"/> does not give another.</summary>
    public required float RopeBase { get; init; }

    /// <summary>Numbers of a head that RoPE turns; even, at most <see cref="HeadSize"/>.</summary>
    public required int RopeSize { get; init; }

    /// <summary>Which numbers of a head RoPE turns together.</summary>
    public RopeStyle RopeStyle { get; init; }

    /// <summary>How RoPE's frequencies were stretched, in blocks that <see cref="Attention"/> does not give another; null for not at all.</summary>
    public RopeScaling? RopeScaling { get; init; }

    /// <summary>Each block's window and rotation; empty when every block sees all positions and turns by <see cref="RopeBase"/> and <see cref="RopeScaling"/>.</summary>
    public IReadOnlyList<BlockAttention> Attention { get; init; } = [];

    /// <summary>What a query's product with a key is multiplied by before softmax. <value>Default: <c>1 / √HeadSize</c>.</value></summary>
    public float AttentionScale
    {
        get => _attentionScale ?? 1f / MathF.Sqrt(HeadSize);
        init => _attentionScale = value;
    }

    /// <summary>Attention scores s become <c>cap · tanh(s / cap)</c>; 0 for no cap. Source: Gemma 2, arXiv:2408.00118.</summary>
    public float AttentionSoftcap { get; init; }

    /// <summary>Logits l become <c>cap · tanh(l / cap)</c>; 0 for no cap.</summary>
    public float LogitSoftcap { get; init; }

    /// <summary>What a token's embedding is multiplied by before the first block.</summary>
    public float EmbeddingScale { get; init; } = 1;

    /// <summary>What the output of attention, and of the feed-forward layer, is multiplied by before it is added to the residual.</summary>
    public float ResidualScale { get; init; } = 1;

    /// <summary>What logits are multiplied by, before <see cref="LogitSoftcap"/>.</summary>
    public float LogitScale { get; init; } = 1;

    /// <summary>The function on the feed-forward layer's gate.</summary>
    public GateActivation Activation { get; init; }

    /// <summary>The mixture of experts in place of the feed-forward layer; null when there is none.</summary>
    public ExpertShape? Experts { get; init; }

    /// <summary>Whether hidden states between blocks may grow beyond what binary16 holds (±65504): they cross as <see cref="Compute.HiddenFormat.F32"/> then.</summary>
    public bool HiddenExceedsHalf { get; init; }

    /// <summary>Numbers in one position's key (or value) of one block.</summary>
    public int KvWidth => KvHeadCount * HeadSize;

    /// <summary>Numbers in one position's query: all heads side by side.</summary>
    public int QueryWidth => HeadCount * HeadSize;

    /// <summary>Window and rotation of a block. May allocate: not for the way of every token.</summary>
    /// <param name="block">The block, counted in the model from 0.</param>
    public BlockAttention AttentionOf(int block) => Attention.Count == 0 ? new BlockAttention(0, new RopeSettings(RopeBase, RopeScaling)) : Attention[block];
}
