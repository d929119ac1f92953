namespace KwaaiNet.Protocol.Nodes;

/// <summary>A node record is not believed: its signature, a bound or its sequence is wrong.</summary>
/// <param name="message">Which field, and what it says.</param>
public sealed class NodeRecordException(string message) : Exception(message)
{
    /// <summary>The sequence that the directory holds, when the record was refused because its own is not above it; otherwise null.</summary>
    public ulong? StoredSequence { get; init; }
}
