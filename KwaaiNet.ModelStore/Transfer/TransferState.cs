namespace KwaaiNet.ModelStore.Transfer;

/// <summary>What is known of a remote file's version, and how much of it came over the wire.</summary>
internal sealed class TransferState
{
    /// <summary>The file's version; null: the server gives none.</summary>
    public string? ETag { get; set; }

    /// <summary>The file's size; null: not known yet.</summary>
    public long? Size { get; set; }

    /// <summary>SHA-256 of the file by the headers of a redirect; null: not said.</summary>
    public string? LinkedSha256 { get; set; }

    /// <summary>Bytes received, also those that were not kept.</summary>
    public long Received { get; set; }

    /// <summary>The next byte wanted, counted in the whole file.</summary>
    public long Position { get; set; }
}
