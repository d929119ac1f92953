namespace KwaaiNet.ModelStore.Transfer;

/// <summary>What a hub says of a large file in the headers of the redirect to it.</summary>
/// <param name="Sha256"><c>X-Linked-Etag</c>: SHA-256, lower-case hex; null: not said.</param>
/// <param name="Size"><c>X-Linked-Size</c>: bytes; null: not said.</param>
internal readonly record struct LinkedFile(string? Sha256, long? Size);
