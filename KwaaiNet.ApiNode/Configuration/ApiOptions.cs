using KwaaiNet.CandelEngine.Compute;

namespace KwaaiNet.ApiNode.Configuration;

/// <summary>What the API node serves and how long it waits. Configuration section <c>Api</c>.</summary>
public sealed class ApiOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Api";

    /// <summary>The port of the OpenAI API unless <c>Node:HttpPort</c> says otherwise.</summary>
    public const int DefaultHttpPort = 11435;

    /// <summary>Default for <see cref="MaxRequestBytes"/>: 4 MiB.</summary>
    public const int DefaultMaxRequestBytes = 4 << 20;

    /// <summary>Default for <see cref="PrefillChunk"/>.</summary>
    public const int DefaultPrefillChunk = 256;

    /// <summary>Default for <see cref="OpenTimeoutSeconds"/>.</summary>
    public const double DefaultOpenTimeoutSeconds = 4;

    /// <summary>Default for <see cref="RouteTimeoutSeconds"/>.</summary>
    public const double DefaultRouteTimeoutSeconds = 15;

    /// <summary>Default for <see cref="StepTimeoutSeconds"/>.</summary>
    public const double DefaultStepTimeoutSeconds = 120;

    /// <summary>Default for <see cref="QuarantineSeconds"/>.</summary>
    public const double DefaultQuarantineSeconds = 5;

    /// <summary>Default for <see cref="MaxChainAttempts"/>.</summary>
    public const int DefaultMaxChainAttempts = 4;

    /// <summary>The models served. Their files give tokenizer, template and shape; no weights are loaded here.</summary>
    public IList<ApiModelOptions> Models { get; } = [];

    /// <summary>Which web pages may call the API from a browser. Default: none.</summary>
    public ApiCorsOptions Cors { get; } = new();

    /// <summary>How hidden states cross from shard to shard, unless the model needs float32. Default f16.</summary>
    public HiddenFormat HiddenFormat { get; set; } = HiddenFormat.F16;

    /// <summary>Tokens an answer may have when the request names no limit; null: up to the context's end, as far as the chain's free KV reaches.</summary>
    public int? MaxTokensDefault { get; set; }

    /// <summary>Largest request body in bytes. Default 4 MiB.</summary>
    public int MaxRequestBytes { get; set; } = DefaultMaxRequestBytes;

    /// <summary>Prompt tokens in one frame, at most <see cref="Protocol.Sessions.SessionBounds.MaxStepRows"/>; fewer where a model is so wide that their hidden states would not fit a message. Default 256.</summary>
    public int PrefillChunk { get; set; } = DefaultPrefillChunk;

    /// <summary>How long the shards of a chain may take to open a session, in seconds. Default 4: a shard that hangs here is an error within 5 s.</summary>
    public double OpenTimeoutSeconds { get; set; } = DefaultOpenTimeoutSeconds;

    /// <summary>How long finding and opening a chain may take over all attempts, in seconds. Default 15.</summary>
    public double RouteTimeoutSeconds { get; set; } = DefaultRouteTimeoutSeconds;

    /// <summary>
    /// How long a chain whose shards all answer pings may go without a token, in seconds. Default 120: a long prompt on a slow chain is
    /// not an error. Shards that were killed or frozen are found by pings, within 5 s.
    /// </summary>
    public double StepTimeoutSeconds { get; set; } = DefaultStepTimeoutSeconds;

    /// <summary>How long a node that failed is left out of new chains, in seconds. Default 5.</summary>
    public double QuarantineSeconds { get; set; } = DefaultQuarantineSeconds;

    /// <summary>Chains tried for one request before it fails. Default 4.</summary>
    public int MaxChainAttempts { get; set; } = DefaultMaxChainAttempts;
}
