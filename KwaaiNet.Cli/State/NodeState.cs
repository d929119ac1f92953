namespace KwaaiNet.Cli.State;

/// <summary>One node that <c>kwaainet up</c> started.</summary>
/// <param name="Name">Its name: <c>shard-1</c>.</param>
/// <param name="Process">The process it was last started as.</param>
internal sealed record NodeState(string Name, ProcessStamp Process);
