using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.ApiNode.Models;

/// <summary>What the API node needs to know of a model: how to write prompts for it and read tokens from it, and which nodes hold the same file.</summary>
internal sealed record ChatModel
{
    /// <summary>The id clients use and shards announce.</summary>
    public required string Id { get; init; }

    /// <summary>SHA-256 of the file, lower-case hex.</summary>
    public required string WeightsHash { get; init; }

    /// <summary>Transformer blocks.</summary>
    public required int BlockCount { get; init; }

    /// <summary>Positions the model was made for.</summary>
    public required int ContextLength { get; init; }

    /// <summary>Numbers in a hidden state; 0: not known.</summary>
    public int Width { get; init; }

    /// <summary>Whether hidden states may grow beyond binary16, so that they cross as float32 whatever is configured.</summary>
    public bool HiddenExceedsHalf { get; init; }

    /// <summary>KV bytes of one block and position on a CPU shard: an estimate by which full nodes are passed over. The shard itself decides.</summary>
    public required long KvBytesPerBlockPosition { get; init; }

    /// <summary>Text to tokens and back.</summary>
    public required ITokenizer Tokenizer { get; init; }

    /// <summary>The model's own prompt format; null for a base model.</summary>
    public ChatTemplate? ChatTemplate { get; init; }

    /// <summary>When the file was last written: what <c>/v1/models</c> gives as created.</summary>
    public DateTimeOffset Created { get; init; }

    /// <summary>How most weights are stored, such as <c>Q8_0</c>.</summary>
    public string WeightFormat { get; init; } = "";

    /// <summary>How the model's makers recommend to draw from it: what a request leaves open.</summary>
    public RecommendedSampling RecommendedSampling { get; init; } = RecommendedSampling.None;

    /// <summary>Names the weights in answers: the same file, the same fingerprint.</summary>
    public string Fingerprint => $"fp_{WeightsHash[..Math.Min(12, WeightsHash.Length)]}";
}
