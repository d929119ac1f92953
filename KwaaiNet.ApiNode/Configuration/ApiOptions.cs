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

    /// <summary>Default for <see cref="KeepAliveSeconds"/>.</summary>
    public const double DefaultKeepAliveSeconds = 10;

    /// <summary>Default for <see cref="MaxWaitSeconds"/>.</summary>
    public const double DefaultMaxWaitSeconds = 30;

    /// <summary>Default for <see cref="MaxWaiting"/>.</summary>
    public const int DefaultMaxWaiting = 256;

    /// <summary>The models served. Their files give tokenizer, template and shape; no weights are loaded here.</summary>
    public IList<ApiModelOptions> Models { get; } = [];

    /// <summary>Which web pages may call the API from a browser. Default: none.</summary>
    public ApiCorsOptions Cors { get; } = new();

    /// <summary>How hidden states cross from shard to shard, unless the model needs float32. Default f16.</summary>
    public HiddenFormat HiddenFormat { get; set; } = HiddenFormat.F16;

    /// <summary>Tokens an answer may have when the request names no limit; null: up to the context's end, as far as the shards' whole KV memory reaches.</summary>
    public int? MaxTokensDefault { get; set; }

    /// <summary>Largest request body in bytes. Default 4 MiB.</summary>
    public int MaxRequestBytes { get; set; } = DefaultMaxRequestBytes;

    /// <summary>Prompt tokens in one frame, at most <see cref="Protocol.Sessions.SessionBounds.MaxStepRows"/>; fewer where a model is so wide that their hidden states would not fit a message. Default 256.</summary>
    public int PrefillChunk { get; set; } = DefaultPrefillChunk;

    /// <summary>How long the shards of a chain may take to open a session, in seconds. Default 4: a shard that hangs here is an error within 5 s. One that says it lives, being in a long turn, has three times as much.</summary>
    public double OpenTimeoutSeconds { get; set; } = DefaultOpenTimeoutSeconds;

    /// <summary>How long finding and opening a chain may take over all attempts, in seconds. Default 15.</summary>
    public double RouteTimeoutSeconds { get; set; } = DefaultRouteTimeoutSeconds;

    /// <summary>
    /// How long a chain whose shards all answer pings may go without a token, in seconds. Default 120: a long prompt on a slow chain is
    /// not an error. Shards that were killed or frozen are found by pings, within 5 s.
    /// </summary>
    public double StepTimeoutSeconds { get; set; } = DefaultStepTimeoutSeconds;

    /// <summary>
    /// Longest silence of a streamed answer, in seconds, before a comment is sent; the response's headers go out with the first one when half
    /// of it has passed without a token, and until then an error has a status of its own. 0: no comments. Default 10.
    /// </summary>
    public double KeepAliveSeconds { get; set; } = DefaultKeepAliveSeconds;

    /// <summary>How long a node that failed is left out of new chains, in seconds. Default 5.</summary>
    public double QuarantineSeconds { get; set; } = DefaultQuarantineSeconds;

    /// <summary>How long a request waits for KV cache when every chain is full, in seconds; 0: it does not. Default 30. An answer that has begun waits for as long as <see cref="StepTimeoutSeconds"/>.</summary>
    public double MaxWaitSeconds { get; set; } = DefaultMaxWaitSeconds;

    /// <summary>Requests that may wait at once; one more is told to come again. Default 256.</summary>
    public int MaxWaiting { get; set; } = DefaultMaxWaiting;

    /// <summary>
    /// Whether requests with different API keys (the bearer token they send) may find the same pages in the shards' KV cache. Whoever may can
    /// tell by the time to the first token whether somebody has sent the same beginning of a prompt. Default false.
    /// </summary>
    public bool ShareCacheBetweenKeys { get; set; }

    /// <summary>Whether a few short answers that nobody reads are run through shards when they are first seen, and the node is healthy only after them. Default true.</summary>
    public bool WarmUp { get; set; } = true;

    /// <summary>Chains tried for one request before it fails. Default 4.</summary>
    public int MaxChainAttempts { get; set; } = DefaultMaxChainAttempts;
}
