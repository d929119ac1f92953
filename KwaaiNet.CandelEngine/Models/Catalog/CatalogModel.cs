namespace KwaaiNet.CandelEngine.Models.Catalog;

/// <summary>A model file found in a catalog's folders.</summary>
/// <param name="Name">What a user may type: the file's name without extension, or <c>family:tag</c> for <c>family/tag.gguf</c>; or the folder's name.</param>
/// <param name="Path">Full path of the file, or of the folder of safetensors.</param>
/// <param name="FileBytes">Its size in bytes; of a folder, that of its weights.</param>
public sealed record CatalogModel(string Name, string Path, long FileBytes);
