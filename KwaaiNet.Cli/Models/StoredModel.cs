using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;
using KwaaiNet.ModelStore;
using KwaaiNet.ModelStore.References;

namespace KwaaiNet.Cli.Models;

/// <summary>Finds a model of this machine that need not be one that can be served.</summary>
internal static class StoredModel
{
    /// <summary>The model a name or a path means.</summary>
    /// <exception cref="CommandFailure">There is none.</exception>
    public static CatalogModel Find(KwaaiNetHome home, string nameOrPath)
    {
        try
        {
            if (ModelPath.Exists(nameOrPath)) return new CatalogModel(ModelPath.NameOf(nameOrPath), Path.GetFullPath(nameOrPath), ModelPath.Bytes(nameOrPath));
            return new ModelCatalog(LocalModels.Folders(home)).Find(nameOrPath);
        }
        catch (ModelNotFoundException exception)
        {
            if (PulledAs(home, nameOrPath) is { } pulled) return pulled;
            throw new CommandFailure(exception.Message, $"a name from '{CommandName.For("models")}', or fetch it with '{CommandName.For($"pull {nameOrPath}")}'.");
        }
    }

    /// <summary>The model that was pulled by a name such as <c>hf:owner/repo/file.gguf</c>, which is not the one it goes by here; null: none.</summary>
    public static CatalogModel? PulledAs(KwaaiNetHome home, string reference) => LocalName(reference) is { } name
        ? new ModelCatalog(home.ModelsFolder).List().FirstOrDefault(model => model.Name.Equals(name, StringComparison.OrdinalIgnoreCase))
        : null;

    /// <summary>Whether a model is the very one that was named, and not one whose name is alike.</summary>
    public static bool IsNamed(CatalogModel model, string nameOrPath) =>
        (nameOrPath.Length > 0 && Path.GetFullPath(nameOrPath) == model.Path)
        || new[] { nameOrPath, nameOrPath + ":latest", LocalName(nameOrPath) }.Any(name => name is not null && Letters(name) == Letters(model.Name));

    private static string? LocalName(string reference)
    {
        try
        {
            return ModelReference.Parse(reference).LocalName.Replace('/', ':');
        }
        catch (ModelStoreException)
        {
            // A name of this machine only.
            return null;
        }
    }

    // As the catalog compares: capitals and the signs between words do not matter.
    private static string Letters(string name) => string.Concat(name.Where(char.IsLetterOrDigit)).ToUpperInvariant();
}
