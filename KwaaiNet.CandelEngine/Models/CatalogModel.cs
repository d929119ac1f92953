namespace KwaaiNet.CandelEngine.Models;

/// <summary>A model file found in a catalog's folders.</summary>
/// <param name="Name">What a user may type: the file's name without extension, or <c>family:tag</c> for <c>family/tag.gguf</c>.</param>
/// <param name="Path">The file's full path.</param>
/// <param name="FileBytes">Its size in bytes.</param>
public sealed record CatalogModel(string Name, string Path, long FileBytes);
