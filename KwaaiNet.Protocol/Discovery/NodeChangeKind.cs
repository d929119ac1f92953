namespace KwaaiNet.Protocol.Discovery;

/// <summary>What happened to a record.</summary>
public enum NodeChangeKind
{
    /// <summary>New, changed, or renewed.</summary>
    Announced = 1,
    /// <summary>Left on purpose; the record is the tombstone.</summary>
    Withdrawn = 2,
    /// <summary>Its ttl passed; the record is the last one.</summary>
    Expired = 3,
    /// <summary>All live records have been sent; what follows are changes.</summary>
    SnapshotEnd = 4,
}
