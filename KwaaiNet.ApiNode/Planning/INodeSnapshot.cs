using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>The live records of this network, as far as discovery has told.</summary>
internal interface INodeSnapshot
{
    /// <summary>Whether discovery answers now. When it does not, <see cref="Records"/> is what it said last, as long as that lives.</summary>
    bool IsAvailable { get; }

    /// <summary>Live records; each has been verified. An immutable snapshot.</summary>
    IReadOnlyCollection<NodeRecord> Records { get; }
}
