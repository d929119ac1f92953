namespace KwaaiNet.ModelStore.Progress;

/// <summary>What a pull does at a moment.</summary>
public enum PullStage
{
    /// <summary>It says something.</summary>
    Note,

    /// <summary>It hashes bytes that are here already.</summary>
    Checking,

    /// <summary>It receives bytes.</summary>
    Receiving,

    /// <summary>A file is complete and in its place.</summary>
    Done,
}
