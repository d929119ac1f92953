using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Cli.Installation;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;
using KwaaiNet.ModelStore.Local;

namespace KwaaiNet.Cli.Models;

/// <summary>Finds model files: those of the user, those that come with the product.</summary>
internal static class LocalModels
{
    /// <summary>What is served when nothing else is asked for.</summary>
    public const string DemoModel = "kwaai-demo";

    private const string Extension = ".gguf";

    /// <summary>Folders that are looked through, the user's own first.</summary>
    public static IReadOnlyList<string> Folders(KwaaiNetHome home)
    {
        List<string> folders = [home.ModelsFolder, Path.Combine(AppContext.BaseDirectory, "models")];
        if (RepositoryFolder.Find(AppContext.BaseDirectory) is { } root)
        {
            folders.Add(Path.Combine(root, "models"));
        }

        return folders;
    }

    /// <summary>Every model file in <see cref="Folders"/>, also those that cannot be served: a reader wants to know why.</summary>
    public static IReadOnlyList<LocalModel> List(KwaaiNetHome home) =>
        [.. new ModelCatalog(Folders(home)).List().Select(model => Describe(model.Name, model.Path))];

    /// <summary>The model a user means by a name or a path, opened and checked.</summary>
    /// <exception cref="CommandFailure">There is no such model, or its file cannot be served.</exception>
    public static LocalModel Find(KwaaiNetHome home, string? nameOrPath)
    {
        string asked = nameOrPath ?? DemoModel;
        LocalModel model;
        if (LooksLikeAPath(asked))
        {
            model = ModelPath.Exists(asked)
                ? Describe(ModelPath.NameOf(asked), Path.GetFullPath(asked))
                : throw new CommandFailure(
                    $"There is no model file, or folder of safetensors with its config.json, at {Path.GetFullPath(asked)}.",
                    $"check the path, or see what is here with '{CommandName.For("models")}'.");
        }
        else
        {
            try
            {
                CatalogModel found = StoredModel.PulledAs(home, asked) ?? new ModelCatalog(Folders(home)).Find(asked);
                model = Describe(found.Name, found.Path);
            }
            catch (ModelNotFoundException exception)
            {
                throw new CommandFailure(
                    exception.Message, $"'{CommandName.For($"pull {asked}")}' fetches it; or --model with a name from '{CommandName.For("models")}', or with the path of a .gguf file or of a folder of safetensors.");
            }
        }

        if (model.Held is { } held)
        {
            throw new CommandFailure(
                $"{model.Name} holds {held} of its model only.",
                $"let each shard fetch its blocks, with 'up --pull --model {model.Source ?? model.Name}', or fetch all: '{CommandName.For($"pull {model.Source ?? model.Name}")}'.");
        }

        return model.Problem is null
            ? model
            : throw new CommandFailure(
                $"{model.Name} cannot be served: {model.Problem}",
                "copy or download the file again, or choose another with --model.");
    }

    // user/name:tag is a name, and so is hf:owner/repo; only what is there, or can be nothing else, is a path.
    private static bool LooksLikeAPath(string asked) =>
        (asked.EndsWith(Extension, StringComparison.OrdinalIgnoreCase) && !asked.StartsWith("hf:", StringComparison.OrdinalIgnoreCase))
        || asked.Contains('\\') || Path.IsPathRooted(asked) || asked.StartsWith('.') || ModelPath.Exists(asked);

    internal static LocalModel Describe(string name, string path)
    {
        long bytes = ModelPath.Bytes(path);
        try
        {
            using ModelFile file = ModelFile.Open(path);
            return new LocalModel(name, path, bytes, file.Shape.BlockCount, file.WeightFormat, file.Shape.ContextLength, null)
            {
                Architecture = file.Shape.Architecture,
                Held = (file as GgufModelFile)?.Part?.Blocks,
                Source = ModelCard.Read(path)?.Source,
            };
        }
        catch (Exception exception) when (exception is ModelFormatException or IOException or UnauthorizedAccessException)
        {
            return new LocalModel(name, path, bytes, null, null, null, exception.Message) { Source = ModelCard.Read(path)?.Source };
        }
    }
}
