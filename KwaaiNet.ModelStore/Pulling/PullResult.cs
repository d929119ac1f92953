using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Pulling;

/// <summary>What a pull has brought.</summary>
/// <param name="Model">The model, as it was found.</param>
/// <param name="LocalName">The name it goes by on this machine.</param>
/// <param name="Path">What to open: a GGUF file, the first of a split one, or a folder.</param>
/// <param name="Files">Each of its files.</param>
public sealed record PullResult(string Model, string LocalName, string Path, IReadOnlyList<FileOutcome> Files)
{
    /// <summary>The published model's size in bytes.</summary>
    public required long PublishedBytes { get; init; }

    /// <summary>The blocks held, <c>0-7</c> or <c>none</c>; null: the whole model.</summary>
    public string? Blocks { get; init; }

    /// <summary>Bytes that came over the wire in this run.</summary>
    public long Received => Files.Sum(file => file.Received);

    /// <summary>Bytes that did not have to come, because only some blocks were wanted; what came and was not kept, of the header say, is not counted as saved.</summary>
    public long Saved => Blocks is null ? 0 : Math.Max(0, PublishedBytes - Files.Sum(file => file.WasThere ? file.Bytes : file.Received + file.Resumed));

    /// <summary>Whether nothing had to be fetched.</summary>
    public bool WasThere => Files.All(file => file.WasThere);

    /// <summary>What the bytes were compared with, in words.</summary>
    public required string Verified { get; init; }
}
