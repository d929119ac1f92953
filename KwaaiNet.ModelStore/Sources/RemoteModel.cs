using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Sources;

/// <summary>A model as its publisher offers it.</summary>
/// <param name="Name">What to ask <c>kwaainet pull</c> for.</param>
/// <param name="LocalName">Where it is kept, below the store's folder, without extension.</param>
/// <param name="Files">Its files: one GGUF, the parts of a split one, or a folder of safetensors.</param>
public sealed record RemoteModel(string Name, string LocalName, IReadOnlyList<RemoteFile> Files)
{
    /// <summary>Small texts that belong to the model, by what they are: <c>params</c>, <c>template</c>, <c>system</c>, <c>license</c>.</summary>
    public IReadOnlyDictionary<string, RemoteFile> Texts { get; init; } = new Dictionary<string, RemoteFile>();

    /// <summary>What a reader should know: layers that are not used here, say.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Whether the files lie in a folder of their own under their own names; otherwise the one file is named after the model.</summary>
    public bool IsFolder { get; init; }
}
