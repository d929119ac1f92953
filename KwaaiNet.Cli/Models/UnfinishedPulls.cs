using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.Cli.State;
using KwaaiNet.ModelStore.Local;

namespace KwaaiNet.Cli.Models;

/// <summary>What pulls that were stopped have left: models by name, with the bytes that are here of them.</summary>
internal static class UnfinishedPulls
{
    private const string Extension = ".gguf";
    private const string PartExtension = Extension + ".part";

    // As deep as the catalog looks, and one more for the parts of a split model.
    private static readonly EnumerationOptions s_search = new() { RecurseSubdirectories = true, MaxRecursionDepth = 3, IgnoreInaccessible = true };

    /// <summary>Those of models whose own file is not here: its path, and bytes on the disk.</summary>
    public static IReadOnlyList<CatalogModel> List(KwaaiNetHome home) => !Directory.Exists(home.ModelsFolder)
        ? []
        : [.. Directory.EnumerateFiles(home.ModelsFolder, "*" + PartExtension, s_search)
            .Select(part => part[..^".part".Length])
            .Where(path => !File.Exists(path))
            .Select(path => new CatalogModel(NameOf(home, path), path, ModelRemoval.FilesOf(path).Sum(file => new FileInfo(file).Length)))
            .OrderBy(model => model.Name, StringComparer.Ordinal)];

    private static string NameOf(KwaaiNetHome home, string path) =>
        Path.GetRelativePath(home.ModelsFolder, path)[..^Extension.Length].Replace(Path.DirectorySeparatorChar, ':');
}
