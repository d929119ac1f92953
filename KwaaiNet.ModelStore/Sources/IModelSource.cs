using KwaaiNet.ModelStore.References;

namespace KwaaiNet.ModelStore.Sources;

/// <summary>A place where models are published.</summary>
internal interface IModelSource
{
    /// <summary>Asks what files a model has.</summary>
    /// <returns>The model; null when the reference belongs to another kind of place.</returns>
    /// <exception cref="ModelStoreException">There is no such model, or it cannot be had.</exception>
    Task<RemoteModel?> FindAsync(ModelReference reference, CancellationToken cancellationToken);
}
