using KwaaiNet.Cli.State;
using KwaaiNet.ModelStore;

namespace KwaaiNet.Cli.Models;

/// <summary>The model store's options as the command uses them.</summary>
internal static class StoreSettings
{
    /// <summary>Options from the environment, for this home's folder.</summary>
    /// <param name="home">Whose folder.</param>
    /// <param name="model">The model asked for: says which address <paramref name="registry"/> stands in for.</param>
    /// <param name="registry">Another address to ask; null: the configured ones.</param>
    public static ModelStoreOptions For(KwaaiNetHome home, string model = "", string? registry = null)
    {
        ModelStoreOptions options = ModelStoreOptions.FromEnvironment();
        options.Folder = home.ModelsFolder;
        if (registry is null) return options;
        if (model.StartsWith("hf:", StringComparison.OrdinalIgnoreCase)) options.HuggingFace = registry;
        else options.Registry = registry;
        return options;
    }
}
