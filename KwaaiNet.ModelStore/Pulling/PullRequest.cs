using KwaaiNet.ModelStore.Parts;

namespace KwaaiNet.ModelStore.Pulling;

/// <summary>What to pull.</summary>
/// <param name="Reference">The model, as a user writes it: <c>llama3.1:8b</c>, <c>hf:owner/repo/file.gguf</c>.</param>
public sealed record PullRequest(string Reference)
{
    /// <summary>Which blocks; null: the whole model.</summary>
    public WantedBlocks? Blocks { get; init; }

    /// <summary>A list of tensor digests to check blocks against: a file's path or an address; null: none.</summary>
    public string? Digests { get; init; }
}
