using System.ComponentModel.DataAnnotations;

namespace KwaaiNet.Discovery.Configuration;

/// <summary>Where the directory is kept and how much it takes. Configuration section <c>Discovery</c>.</summary>
public sealed class DiscoveryOptions
{
    /// <summary>The configuration section.</summary>
    public const string Section = "Discovery";

    /// <summary>Name of the connection string of the Redis backend: <c>ConnectionStrings:registry</c>.</summary>
    public const string ConnectionName = "registry";

    /// <summary>Default for <see cref="MaxNodes"/>.</summary>
    public const int DefaultMaxNodes = 10_000;

    /// <summary>Default for <see cref="MaxWatchers"/>.</summary>
    public const int DefaultMaxWatchers = 2_000;

    /// <summary>Default for <see cref="CallsPerSecond"/>.</summary>
    public const int DefaultCallsPerSecond = 200;

    /// <summary><c>embedded</c> (a Redis-protocol server inside this process) or <c>redis</c>. Null: redis when <c>ConnectionStrings:registry</c> is set, else embedded.</summary>
    public string? Backend { get; set; }

    /// <summary>Most nodes the directory takes. Default 10,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxNodes { get; set; } = DefaultMaxNodes;

    /// <summary>Most watches at the same time. Default 2,000.</summary>
    [Range(1, 1_000_000)]
    public int MaxWatchers { get; set; } = DefaultMaxWatchers;

    /// <summary>Calls per second that one peer may make in the long run; five seconds' worth may come at once. Default 200.</summary>
    [Range(1, 1_000_000)]
    public int CallsPerSecond { get; set; } = DefaultCallsPerSecond;
}
