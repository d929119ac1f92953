using Google.Protobuf;
using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Models;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>What a session is opened with, the same on whichever chain it runs.</summary>
internal sealed record SessionSettings
{
    /// <summary>Settings as the API node's options have them.</summary>
    /// <param name="model">The model.</param>
    /// <param name="services">Whose session it is, and the options.</param>
    /// <param name="tokens">Tokens already known.</param>
    /// <param name="sampling">How tokens are drawn.</param>
    /// <param name="maxNewTokens">Tokens to generate.</param>
    public static SessionSettings Of(ChatModel model, ChainServices services, IReadOnlyList<int> tokens, SamplingParameters sampling, int maxNewTokens)
    {
        ApiOptions options = services.Options;
        bool wide = model.HiddenExceedsHalf || options.HiddenFormat == CandelEngine.Compute.HiddenFormat.F32;
        return new SessionSettings
        {
            Model = model,
            Owner = services.NodeId,
            Sampling = sampling,
            Tokens = tokens,
            MaxNewTokens = maxNewTokens,
            HiddenFormat = wide ? CandelEngine.Compute.HiddenFormat.F32 : CandelEngine.Compute.HiddenFormat.F16,
            PrefillChunk = Math.Min(options.PrefillChunk, SessionBounds.RowsPerStep(model.Width, wide ? sizeof(float) : sizeof(ushort))),
            OpenTimeout = TimeSpan.FromSeconds(options.OpenTimeoutSeconds),
            StepTimeout = TimeSpan.FromSeconds(options.StepTimeoutSeconds),
        };
    }

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
