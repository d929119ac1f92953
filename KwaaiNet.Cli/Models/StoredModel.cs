using KwaaiNet.CandelEngine.Models;
using KwaaiNet.Cli.Commands;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;

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
            throw new CommandFailure(exception.Message, $"a name from '{CommandName.For("models")}', or fetch it with '{CommandName.For($"pull {nameOrPath}")}'.");
        }
    }
}
