using System.Runtime.CompilerServices;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.Protocol.Nodes;

/// <summary>What a node record may say. A signature proves who wrote a record, not that it makes sense.</summary>
public static class NodeRecordBounds
{
    /// <summary>The record version that is understood.</summary>
    public const uint Version = 1;
    /// <summary>Shortest ttl of a record, in milliseconds.</summary>
    public const uint MinTtlMilliseconds = 100;
    /// <summary>Longest ttl of a record, in milliseconds: an hour.</summary>
    public const uint MaxTtlMilliseconds = 3_600_000;
    /// <summary>Most addresses a node may have.</summary>
    public const int MaxEndpoints = 8;
    /// <summary>Most block ranges a node may serve.</summary>
    public const int MaxServing = 64;
    /// <summary>Most protocol versions a node may list.</summary>
    public const int MaxProtocolVersions = 16;
    /// <summary>Most blocks a model may have.</summary>
    public const int MaxBlocks = 4096;
    /// <summary>Longest text, such as a model's or a device's name, in UTF-16 code units.</summary>
    public const int MaxText = 256;
    /// <summary>Longest short name, such as the network's or a backend's, in UTF-16 code units.</summary>
    public const int MaxName = 64;

    /// <summary>Checks every field of a record.</summary>
    /// <exception cref="NodeRecordException">A field is out of bounds.</exception>
    public static void Check(NodeRecord record, TimeProvider time)
    {
        Require(record.Version == Version, "version", record.Version, $"only {Version} is understood");
        Require(record.Sequence > 0, "sequence", record.Sequence, "it counts from 1");
        Require(record.TtlMs is >= MinTtlMilliseconds and <= MaxTtlMilliseconds, "ttl_ms", record.TtlMs, $"{MinTtlMilliseconds} to {MaxTtlMilliseconds} are allowed");
        long latest = (time.GetUtcNow() + SignedNodeRecord.MaxClockSkew).ToUnixTimeMilliseconds();
        Require(record.IssuedUnixMs > 0 && record.IssuedUnixMs <= latest, "issued_unix_ms", record.IssuedUnixMs, "it lies in the future; set the clocks");
        Text(record.Network, 1, MaxName, "network");
        Text(record.Region, 0, MaxName, "region");
        Text(record.Software, 0, MaxName, "software");
        Require((int)record.Role >= 0, "role", (int)record.Role, "it is negative");
        Require(record.Endpoints.Count <= MaxEndpoints, "endpoints", record.Endpoints.Count, $"at most {MaxEndpoints} are allowed");
        foreach (string endpoint in record.Endpoints)
            Require(IsAddress(endpoint, Uri.UriSchemeHttps), "endpoints", Shown(endpoint), "https://host:port is expected");
        Require(record.HttpEndpoint.Length == 0 || IsAddress(record.HttpEndpoint, Uri.UriSchemeHttp), "http_endpoint", Shown(record.HttpEndpoint), "http://host:port is expected");
        Require(record.ProtocolVersions.Count <= MaxProtocolVersions, "protocol_versions", record.ProtocolVersions.Count, $"at most {MaxProtocolVersions} are allowed");
        Require(record.MemoryBytes >= 0, "memory_bytes", record.MemoryBytes, "it is negative");
        Require(record.Serving.Count <= MaxServing, "serving", record.Serving.Count, $"at most {MaxServing} are allowed");
        Require(record.StartedUnixMs >= 0 && record.StartedUnixMs <= latest, "started_unix_ms", record.StartedUnixMs, "it lies in the future; set the clocks");
        foreach (ServedBlocks served in record.Serving)
            Check(served);
    }

    private static void Check(ServedBlocks served)
    {
        Text(served.Model, 1, MaxText, "serving.model");
        Require(served.WeightsHash.Length == 64 && !served.WeightsHash.AsSpan().ContainsAnyExcept("0123456789abcdef"),
            "serving.weights_hash", Shown(served.WeightsHash), "64 lower-case hexadecimal digits are expected");
        Require(served.BlockCount is > 0 and <= MaxBlocks, "serving.block_count", served.BlockCount, $"1 to {MaxBlocks} are allowed");
        Require(served.FirstBlock < served.EndBlock && served.EndBlock <= served.BlockCount,
            "serving.end_block", $"[{served.FirstBlock}, {served.EndBlock}) of {served.BlockCount}", "first_block < end_block <= block_count is expected");
        Require((int)served.State >= 0, "serving.state", (int)served.State, "it is negative");
        Text(served.WeightFormat, 0, MaxName, "serving.weight_format");
        Text(served.Backend, 0, MaxName, "serving.backend");
        Text(served.Device, 0, MaxText, "serving.device");
        Speed(served.PrefillTokensPerSecond, "serving.prefill_tokens_per_second");
        Speed(served.DecodeTokensPerSecond, "serving.decode_tokens_per_second");
        Require(served.KvFreeBytes >= 0, "serving.kv_free_bytes", served.KvFreeBytes, "it is negative");
        Require(served.KvBytesPerBlockPosition >= 0, "serving.kv_bytes_per_block_position", served.KvBytesPerBlockPosition, "it is negative");
        Require(served.KvTotalBytes >= 0, "serving.kv_total_bytes", served.KvTotalBytes, "it is negative");
        Require(served.WeightBytes >= 0, "serving.weight_bytes", served.WeightBytes, "it is negative");
        Require(served.ContextLength <= int.MaxValue, "serving.context_length", served.ContextLength, "it does not fit 31 bits");
        Require(served.Width <= 1 << 20, "serving.width", served.Width, "no model is that wide");
        Require(served.Queue <= int.MaxValue, "serving.queue", served.Queue, "it does not fit 31 bits");
        Require(served.Sessions <= int.MaxValue, "serving.sessions", served.Sessions, "it does not fit 31 bits");
    }

    /// <summary>Whether a text is <c>scheme://host:port</c> and nothing more.</summary>
    public static bool IsAddress(string text, string scheme) =>
        text.Length <= MaxText
        && Uri.TryCreate(text, UriKind.Absolute, out Uri? uri)
        && uri.Scheme == scheme
        && uri.Host.Length > 0
        && uri.Port is > 0 and <= 65535
        && uri.UserInfo.Length == 0
        && uri.PathAndQuery == "/"
        && uri.Fragment.Length == 0;

    private static void Speed(double value, string field) =>
        Require(double.IsFinite(value) && value >= 0, field, value, "a finite number, not below 0, is expected");

    // Control characters would let a stranger's record write to the terminal that shows it.
    private static void Text(string value, int min, int max, string field)
    {
        Require(value.Length >= min && value.Length <= max, field, Shown(value), $"{min} to {max} characters are allowed");
        foreach (char c in value)
            Require(!char.IsControl(c), field, Shown(value), "control characters are not allowed");
    }

    private static string Shown(string value)
    {
        string head = value.Length > 80 ? string.Concat(value.AsSpan(0, 80), "…") : value;
        return "'" + string.Concat(head.Select(c => char.IsControl(c) ? '?' : c)) + "'";
    }

    private static void Require<T>(bool holds, string field, T value, string why)
    {
        if (!holds)
            Throw(field, value, why);
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static void Throw<T>(string field, T value, string why) => throw new NodeRecordException($"{field} is {value}: {why}.");
}
