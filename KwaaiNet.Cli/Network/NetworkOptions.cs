namespace KwaaiNet.Cli.Network;

/// <summary>What the user asked <c>kwaainet up</c> for.</summary>
internal sealed record NetworkOptions
{
    public const int DefaultPort = 11435;
    public const int DefaultShards = 3;
    public const string Embedded = "embedded";
    public const string Redis = "redis";

    /// <summary>How many parts the model's blocks are cut into.</summary>
    public int Shards { get; init; } = DefaultShards;

    /// <summary>How many of them hold every block range.</summary>
    public int Replicas { get; init; } = 1;

    /// <summary>Whether a node that dies is started again.</summary>
    public bool Restart { get; init; } = true;

    /// <summary>A model's name or file; null: the demo model.</summary>
    public string? Model { get; init; }

    /// <summary>Whether a model that is not here is fetched: its header for the API, and by each shard the blocks it serves.</summary>
    public bool Pull { get; init; }

    /// <summary>Port of the OpenAI API; 0 lets the system choose.</summary>
    public int Port { get; init; } = DefaultPort;

    /// <summary>Discovery's backend.</summary>
    public string Discovery { get; init; } = Embedded;

    /// <summary>Redis' address for <see cref="Redis"/>.</summary>
    public string RedisConnection { get; init; } = "localhost:6379";

    /// <summary>What shards compute on: <c>auto</c>, <c>cpu</c> or <c>ilgpu</c>.</summary>
    public string Backend { get; init; } = "auto";

    /// <summary>Further settings for every node, by the hosts' own keys: <c>Node:TtlMilliseconds</c>.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}
