namespace KwaaiNet.ModelStore.Transfer;

/// <summary>A file to be had over HTTP, and what its publisher says of it.</summary>
/// <param name="Name">The name it gets here, without folders.</param>
/// <param name="Address">Where it is.</param>
/// <param name="Size">Its size in bytes; null: not said.</param>
/// <param name="Sha256">SHA-256 of its bytes, lower-case hex; null: not said.</param>
public sealed record RemoteFile(string Name, Uri Address, long? Size, string? Sha256)
{
    /// <summary>The id git gives the file's bytes, lower-case hex: what a hub says of small files in place of a SHA-256.</summary>
    public string? GitBlobId { get; init; }

    /// <summary>An access token, for <see cref="Address"/>'s host and no other.</summary>
    public string? Token { get; init; }

    /// <summary>Whether it is a GGUF file by its name.</summary>
    public bool IsGguf => Name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase);
}
