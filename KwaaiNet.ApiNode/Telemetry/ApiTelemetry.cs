using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace KwaaiNet.ApiNode.Telemetry;

/// <summary>Every name this node's traces and metrics use. <c>gen_ai.*</c> comes from Microsoft.Extensions.AI under <see cref="ChatSource"/>.</summary>
internal sealed class ApiTelemetry : IDisposable
{
    /// <summary>Source and meter of the API node.</summary>
    public const string Name = "KwaaiNet.Api";

    /// <summary>Source and meter of the chat pipeline.</summary>
    public const string ChatSource = "KwaaiNet.Chat";

    /// <summary>The activities of one request, children of <c>chat {model}</c>.</summary>
    public static readonly ActivitySource Source = new(Name);

    private readonly Meter _meter;

    /// <summary>Makes the instruments.</summary>
    public ApiTelemetry(IMeterFactory meters)
    {
        _meter = meters.Create(Name);
        InstrumentAdvice<double> seconds = new() { HistogramBucketBoundaries = [0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28, 2.56, 5.12, 10.24, 30, 60] };
        TimeToFirstToken = _meter.CreateHistogram("kwaainet.chat.time_to_first_token", "s", "From the request to its first token.", advice: seconds);
        TimeBetweenTokens = _meter.CreateHistogram("kwaainet.chat.time_between_tokens", "s", "Between two tokens of one answer.", advice: seconds);
        TokensPerSecond = _meter.CreateHistogram<double>("kwaainet.chat.tokens_per_second", "{token}/s", "Decode speed of one answer.");
        Failures = _meter.CreateCounter<long>("kwaainet.chat.failures", "{request}", "Requests that ended with an error.");
        CachedTokens = _meter.CreateCounter<long>("kwaainet.chat.cached_tokens", "{token}", "Tokens of prompts that shards held already.");
        ChainsLost = _meter.CreateCounter<long>("kwaainet.chain.lost", "{chain}", "Chains lost while opening or running.");
    }

    /// <summary>From the request to its first token, in seconds.</summary>
    public Histogram<double> TimeToFirstToken { get; }

    /// <summary>Between two tokens of one answer, in seconds.</summary>
    public Histogram<double> TimeBetweenTokens { get; }

    /// <summary>Decode speed of one answer.</summary>
    public Histogram<double> TokensPerSecond { get; }

    /// <summary>Requests that ended with an error, by <see cref="Tags.Error"/>.</summary>
    public Counter<long> Failures { get; }

    /// <summary>Tokens of prompts that shards held already, so that they were not computed.</summary>
    public Counter<long> CachedTokens { get; }

    /// <summary>Chains lost, by <see cref="Tags.Error"/>.</summary>
    public Counter<long> ChainsLost { get; }

    /// <inheritdoc/>
    public void Dispose() => _meter.Dispose();

    /// <summary>Names of activities.</summary>
    internal static class Spans
    {
        /// <summary>Waiting for KV cache, or for another request to compute the same beginning of a prompt.</summary>
        public const string Wait = "wait";

        /// <summary>Planning a chain and opening the session on it.</summary>
        public const string Route = "route";

        /// <summary>From the first prompt frame to the first token.</summary>
        public const string Prefill = "prefill";

        /// <summary>From the first token to the last.</summary>
        public const string Decode = "decode";
    }

    /// <summary>Names of attributes.</summary>
    internal static class Tags
    {
        /// <summary>The model's id.</summary>
        public const string Model = "gen_ai.request.model";

        /// <summary>What kind of error.</summary>
        public const string Error = "error.type";

        /// <summary>Shards in the chain.</summary>
        public const string Hops = "kwaainet.chain.hops";

        /// <summary>The chain: nodes and their blocks.</summary>
        public const string Chain = "kwaainet.chain";

        /// <summary>The session's id, hex.</summary>
        public const string Session = "kwaainet.session.id";

        /// <summary>Tokens of the prompt.</summary>
        public const string PromptTokens = "gen_ai.usage.input_tokens";

        /// <summary>Tokens of the prompt that were not computed.</summary>
        public const string CachedTokens = "kwaainet.usage.cached_tokens";

        /// <summary>Tokens generated.</summary>
        public const string CompletionTokens = "gen_ai.usage.output_tokens";
    }
}
