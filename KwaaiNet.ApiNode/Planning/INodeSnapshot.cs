using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Planning;

/// <summary>The live records of this network, as far as discovery has told.</summary>
internal interface INodeSnapshot
{
    /// <summary>Why discovery cannot be relied on now, a sentence for people; null when it can. Then <see cref="Records"/> is what it said last, as long as that lives.</summary>
    string? Trouble { get; }

    /// <summary>There are other records now. Handlers return at once.</summary>
    event Action? Changed;

    /// <summary>Live records; each has been verified. An immutable snapshot.</summary>
    IReadOnlyCollection<NodeRecord> Records { get; }
}
