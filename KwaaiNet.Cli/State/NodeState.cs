namespace KwaaiNet.Cli.State;

/// <summary>One node that <c>kwaainet up</c> started.</summary>
/// <param name="Name">Its name: <c>shard-1</c>.</param>
/// <param name="Process">The process it was last started as.</param>
internal sealed record NodeState(string Name, ProcessStamp Process)
{
    /// <summary>How often it died and was started again.</summary>
    public int Restarts { get; init; }

    /// <summary>How it last ended without being asked; null: it never has.</summary>
    public string? LastEnd { get; init; }

    /// <summary>Why it is not started again; null while it runs or will.</summary>
    public string? WhyStopped { get; init; }
}
