using Google.Protobuf;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.CandelEngine.Sampling;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>What a session is opened with, the same on whichever chain it runs.</summary>
internal sealed record SessionSettings
{
    /// <summary>The model.</summary>
    public required ChatModel Model { get; init; }

    /// <summary>The API node's own did:key: the source of the prompt's steps.</summary>
    public required string Owner { get; init; }

    /// <summary>How tokens are drawn.</summary>
    public required SamplingParameters Sampling { get; init; }

    /// <summary>Tokens already known: the prompt, and what was generated before a chain was lost.</summary>
    public required IReadOnlyList<int> Tokens { get; init; }

    /// <summary>How many of <see cref="Tokens"/>, from the end, were generated before a chain was lost.</summary>
    public int Generated { get; init; }

    /// <summary>Hashes of the first pages of <see cref="Tokens"/>, as they travel: what the shards may hold already.</summary>
    public ByteString PrefixHashes { get; init; } = ByteString.Empty;

    /// <summary>When the request came: where KV runs out, later ones make way.</summary>
    public DateTimeOffset Requested { get; init; }

    /// <summary>Tokens still to generate.</summary>
    public required int MaxNewTokens { get; init; }

    /// <summary>How hidden states cross.</summary>
    public required CandelEngine.Compute.HiddenFormat HiddenFormat { get; init; }

    /// <summary>Rows a prefill frame.</summary>
    public required int PrefillChunk { get; init; }

    /// <summary>How long opening may take.</summary>
    public required TimeSpan OpenTimeout { get; init; }

    /// <summary>How long one step may take.</summary>
    public required TimeSpan StepTimeout { get; init; }

    /// <summary>W3C trace context of the request; empty for none.</summary>
    public string TraceParent { get; init; } = "";
}
