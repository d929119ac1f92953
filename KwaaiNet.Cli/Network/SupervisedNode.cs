using KwaaiNet.Cli.Processes;
using KwaaiNet.Cli.State;

namespace KwaaiNet.Cli.Network;

/// <summary>A node's place in a network: its name stays, its processes come and go. Its fields are the supervisor's, under the supervisor's lock.</summary>
/// <param name="name">The node's name.</param>
/// <param name="policy">Whether it is started again.</param>
internal sealed class SupervisedNode(string name, RestartPolicy policy)
{
    public string Name { get; } = name;

    /// <summary>Held while its process is being replaced: two who restart one node do it one after the other.</summary>
    public SemaphoreSlim Replacing { get; } = new(1, 1);

    /// <summary>Replaced when a person starts the node again: what was before counts no more.</summary>
    public RestartPolicy Policy { get; set; } = policy;

    /// <summary>The process it was last started as; null before the first.</summary>
    public NodeProcess? Process { get; set; }

    /// <summary>Whether a process of it has ever taken work: until then its end ends the start of the network.</summary>
    public bool WasReady { get; set; }

    /// <summary>The process whose end is wanted, so that nobody takes it for a death.</summary>
    public NodeProcess? Retiring { get; set; }

    /// <summary>How often it was started again without being asked for.</summary>
    public int Restarts { get; set; }

    /// <summary>How it last ended without being asked; null: it never has.</summary>
    public string? LastEnd { get; set; }

    /// <summary>Why it is not started again; null while it runs or will.</summary>
    public string? WhyStopped { get; set; }

    /// <summary>Whether it was started again too often, and is left.</summary>
    public bool IsGivenUp { get; set; }

    /// <summary>What other commands may know of it.</summary>
    public NodeState ToState() => new(Name, Process!.Stamp) { Restarts = Restarts, LastEnd = LastEnd, WhyStopped = WhyStopped };
}
