namespace KwaaiNet.Cli.State;

/// <summary>What runs, as one <c>kwaainet</c> command tells the next: the content of <c>run/network.json</c>.</summary>
internal sealed record NetworkState
{
    /// <summary>The <c>kwaainet up</c> process that started the nodes and watches them.</summary>
    public required ProcessStamp Supervisor { get; init; }

    /// <summary>Where apps connect.</summary>
    public required string Url { get; init; }

    /// <summary>The model's name.</summary>
    public required string Model { get; init; }

    /// <summary>The model's file.</summary>
    public required string ModelPath { get; init; }

    /// <summary>SHA-256 of the model's weights, as the API node knows it; null until the network is up.</summary>
    public string? WeightsHash { get; init; }

    /// <summary>The network's name, as its records carry it.</summary>
    public string? Network { get; init; }

    /// <summary>Name of the pipe on which the supervisor takes requests.</summary>
    public required string ControlPipe { get; init; }

    /// <summary>The nodes, in the order they were started.</summary>
    public required IReadOnlyList<NodeState> Nodes { get; init; }
}
