namespace KwaaiNet.Cli.Network;

/// <summary>One line of <c>kwaainet status</c>.</summary>
internal sealed record NodeReport
{
    /// <summary>The node's name.</summary>
    public required string Name { get; init; }

    /// <summary><c>running</c>, <c>joining</c>, <c>ready</c>, <c>draining</c>, <c>restarting</c> (it died and is about to be started again), <c>stopped</c>.</summary>
    public required string State { get; init; }

    /// <summary>The node's did:key; null when it has never said.</summary>
    public string? NodeId { get; init; }

    /// <summary>Its process; null when it has stopped.</summary>
    public int? Pid { get; init; }

    /// <summary>How often it died and was started again.</summary>
    public int Restarts { get; init; }

    /// <summary>How it last ended without being asked; null: it never has.</summary>
    public string? LastEnd { get; init; }

    /// <summary>Why it is not started again; null while it runs or will.</summary>
    public string? WhyStopped { get; init; }

    /// <summary>Its gRPC or HTTP address.</summary>
    public string? Address { get; init; }

    /// <summary>Resident memory in bytes, from the system.</summary>
    public long? MemoryBytes { get; init; }

    /// <summary>The blocks it serves, first and last: <c>0-2</c>.</summary>
    public string? Blocks { get; init; }

    /// <summary>What it computes on.</summary>
    public string? Backend { get; init; }

    /// <summary>The device's own name.</summary>
    public string? Device { get; init; }

    /// <summary>Measured over its blocks; 0 when not yet measured.</summary>
    public double? DecodeTokensPerSecond { get; init; }

    /// <summary>Measured over its blocks; 0 when not yet measured.</summary>
    public double? PrefillTokensPerSecond { get; init; }

    /// <summary>Open sessions.</summary>
    public int? Sessions { get; init; }
}
