namespace KwaaiNet.ModelStore.References;

/// <summary>A model, or a file, in a repository of the Hugging Face hub.</summary>
/// <param name="Owner">Whose repository it is.</param>
/// <param name="Repository">The repository.</param>
/// <param name="File">The file's path in it; null: chosen by <paramref name="Quant"/>, or all that a safetensors model needs.</param>
/// <param name="Quant">A part of the wanted file's name, such as <c>Q4_K_M</c>; null: none.</param>
/// <param name="Revision">A branch, tag or commit; <c>main</c> unless given.</param>
public sealed record HubReference(string Owner, string Repository, string? File, string? Quant, string Revision) : ModelReference
{
    /// <inheritdoc/>
    public override string LocalName => File is null ? $"{Owner}/{Repository}" : $"{Owner}/{Repository}/{Path.GetFileNameWithoutExtension(File)}";

    /// <inheritdoc/>
    public override string ToString() => $"hf:{Owner}/{Repository}{(File is null ? "" : "/" + File)}{(Quant is null ? "" : ":" + Quant)}{(Revision == "main" ? "" : "@" + Revision)}";
}
