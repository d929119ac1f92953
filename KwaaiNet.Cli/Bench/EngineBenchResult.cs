using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench;

/// <summary>What <c>kwaainet bench engine</c> measured. Rates are of all sessions together.</summary>
internal sealed record EngineBenchResult
{
    [JsonPropertyName("model")]
    public required string Model { get; init; }

    [JsonPropertyName("weights")]
    public required string Weights { get; init; }

    [JsonPropertyName("backend")]
    public required string Backend { get; init; }

    [JsonPropertyName("device")]
    public required string Device { get; init; }

    /// <summary><c>cpu</c>, <c>cuda</c>, <c>opencl</c> or <c>cpu-accelerator</c>.</summary>
    [JsonPropertyName("device_kind")]
    public required string DeviceKind { get; init; }

    [JsonPropertyName("threads")]
    public required int Threads { get; init; }

    [JsonPropertyName("prompt")]
    public required int Prompt { get; init; }

    [JsonPropertyName("generate")]
    public required int Generate { get; init; }

    [JsonPropertyName("batch")]
    public required int Batch { get; init; }

    /// <summary>Milliseconds from opening the file to a stack that runs.</summary>
    [JsonPropertyName("load_ms")]
    public required double LoadMilliseconds { get; init; }

    /// <summary>Prompt tokens a second, of one session.</summary>
    [JsonPropertyName("prefill_tok_s")]
    public required double PrefillTokensPerSecond { get; init; }

    /// <summary>Decoded tokens a second.</summary>
    [JsonPropertyName("decode_tok_s")]
    public required double DecodeTokensPerSecond { get; init; }

    /// <summary>Bytes of weights read a second while decoding, in units of 10^9. An embedding that is not the output matrix as well is looked up, not read.</summary>
    [JsonPropertyName("bandwidth_gb_s")]
    public required double BandwidthGigabytesPerSecond { get; init; }

    /// <summary>That, as a part of <see cref="DeviceBandwidthGigabytesPerSecond"/>.</summary>
    [JsonPropertyName("bandwidth_share")]
    public required double? BandwidthShare { get; init; }

    /// <summary>What the same device, or the same threads of the processor, read of a plain buffer in the same run, in units of 10^9 bytes a second.</summary>
    [JsonPropertyName("device_gb_s")]
    public required double DeviceBandwidthGigabytesPerSecond { get; init; }

    /// <summary>Most memory the process ever held, in units of 2^20 bytes; measured before the buffer of the bandwidth's measurement exists.</summary>
    [JsonPropertyName("peak_rss_mb")]
    public required double PeakMemoryMebibytes { get; init; }

    /// <summary>The first session's decoded token ids, greedy.</summary>
    [JsonPropertyName("ids")]
    public required IReadOnlyList<int> Ids { get; init; }
}
