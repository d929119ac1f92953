namespace KwaaiNet.Cli.Models;

/// <summary>A model file on this machine.</summary>
/// <param name="Name">The name apps ask for.</param>
/// <param name="Path">The file.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Blocks">Its transformer blocks; null when the file cannot be read.</param>
/// <param name="WeightFormat">How its weights are stored: <c>Q8_0</c>; null when the file cannot be read.</param>
/// <param name="ContextLength">Positions it was made for; null when the file cannot be read.</param>
/// <param name="Problem">Why the file cannot be served; null when it can.</param>
internal sealed record LocalModel(
    string Name, string Path, long Bytes, int? Blocks, string? WeightFormat, int? ContextLength, string? Problem)
{
    /// <summary>How it is built: <c>llama</c>; null when the file cannot be read.</summary>
    public string? Architecture { get; init; }

    /// <summary>The blocks held where the file is only a part of its model: <c>blocks 0-7</c>, <c>no blocks</c>; null: all.</summary>
    public string? Held { get; init; }

    /// <summary>What shards are to pull their blocks as, where the file is the header only; null: the file has them.</summary>
    public string? PullFrom { get; init; }

    /// <summary>The folder shards are to pull into; null where they pull nothing.</summary>
    public string? StoreFolder { get; init; }

    /// <summary>What it was pulled as, or imported from; null: not known.</summary>
    public string? Source { get; init; }
}
