using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.Cli.Output;
using KwaaiNet.Cli.State;
using KwaaiNet.ModelStore;
using KwaaiNet.ModelStore.Parts;
using KwaaiNet.ModelStore.Progress;
using KwaaiNet.ModelStore.Pulling;
using KwaaiNet.ModelStore.References;

namespace KwaaiNet.Cli.Models;

/// <summary>A model for <c>up --pull</c>: the whole file where it is here, otherwise its header, for shards that fetch their own blocks.</summary>
internal static class PullableModel
{
    /// <summary>Finds the model, or fetches its header.</summary>
    /// <param name="home">Whose models.</param>
    /// <param name="wanted">The name asked for.</param>
    /// <param name="settings">Settings for every node: a registry given there is asked here too.</param>
    /// <param name="cancellationToken">Stops the download.</param>
    /// <exception cref="CommandFailure">What is here cannot be served.</exception>
    /// <exception cref="ModelStoreException">It cannot be fetched.</exception>
    public static async Task<LocalModel> FindAsync(
        KwaaiNetHome home, string wanted, IReadOnlyDictionary<string, string> settings, CancellationToken cancellationToken)
    {
        if (ModelPath.Exists(wanted)) return LocalModels.Find(home, wanted);
        if (FindWhole(home, wanted) is { } whole) return whole;
        ModelStoreOptions options = StoreSettings.For(home);
        if (settings.TryGetValue($"{ModelStoreOptions.Section}:{nameof(ModelStoreOptions.Registry)}", out string? registry)) options.Registry = registry;
        if (settings.TryGetValue($"{ModelStoreOptions.Section}:{nameof(ModelStoreOptions.HuggingFace)}", out string? hub)) options.HuggingFace = hub;
        using ModelPuller puller = new(options, TimeProvider.System);
        PullResult result = await puller.PullAsync(new PullRequest(wanted) { Blocks = WantedBlocks.None }, new Progress<PullEvent>(), cancellationToken).ConfigureAwait(false);
        LocalModel model = LocalModels.Describe(wanted, result.Path);
        if (model.Problem is not null) throw new CommandFailure($"{wanted} cannot be served: {model.Problem}", "choose another with --model.");
        return result.Blocks is null ? model : model with { PullFrom = wanted, StoreFolder = home.ModelsFolder };
    }

    private static LocalModel? FindWhole(KwaaiNetHome home, string wanted)
    {
        try
        {
            CatalogModel found = new ModelCatalog(LocalModels.Folders(home)).Find(wanted);

            // A catalog also finds what is alike; who says --pull wants the very model.
            string[] names = [wanted, wanted + ":latest", ModelReference.Parse(wanted).LocalName.Replace('/', ':')];
            if (!names.Contains(found.Name, StringComparer.OrdinalIgnoreCase)) return null;
            LocalModel model = LocalModels.Describe(found.Name, found.Path);
            return model is { Held: null, Problem: null } ? model : null;
        }
        catch (ModelNotFoundException)
        {
            // Not here, or only parts of it are.
            return null;
        }
    }
}
