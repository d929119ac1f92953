using System.Net;
using System.Text.Json;
using KwaaiNet.ModelStore.References;
using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Sources;

/// <summary>A registry that speaks Ollama's protocol: a manifest by name and tag, blobs by digest.</summary>
internal sealed class OllamaRegistry(FileTransfer transfer, ModelStoreOptions options) : IModelSource
{
    private const int MostManifestBytes = 1 << 22;

    private static readonly HashSet<string> s_texts = ["params", "template", "system", "license"];

    /// <inheritdoc/>
    public async Task<RemoteModel?> FindAsync(ModelReference reference, CancellationToken cancellationToken)
    {
        if (reference is not RegistryReference wanted) return null;
        string name = wanted.ToString();
        string place = $"{(wanted.Host ?? options.Registry).TrimEnd('/')}/v2/{wanted.Namespace}/{wanted.Model}";
        RemoteFile manifestFile = new($"manifest of {name}", new Uri($"{place}/manifests/{wanted.Tag}"), null, null);
        byte[] json;
        try
        {
            json = await transfer.ReadAllAsync(manifestFile, MostManifestBytes, cancellationToken).ConfigureAwait(false);
        }
        catch (ModelStoreException exception) when (exception.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            throw new ModelStoreException(
                $"{manifestFile.Address.Authority} has no model '{name}'.",
                $"check the name and the tag ('{wanted.Model}' without a tag means '{wanted.Model}:latest'); look it up at the registry, or pull hf:owner/repo/file.gguf.",
                exception);
        }

        IReadOnlyList<OllamaManifest.Layer> layers = ReadLayers(json, name);
        OllamaManifest.Layer[] models = [.. layers.Where(layer => layer.Kind == "model")];
        if (layers.Any(layer => layer.Kind == "adapter"))
            throw new ModelStoreException($"{name} is an adapter (LoRA) over another model, which this engine does not apply.", "pull the model it was merged into.");
        if (models.Length != 1)
        {
            throw new ModelStoreException(
                layers.Any(layer => layer.Kind == "tensor") ? $"{name} is published as single tensors, not as a GGUF file." : $"{name} has {models.Length} model layers; one is expected.",
                "pull another tag, or a GGUF of it: hf:owner/repo/file.gguf.");
        }

        List<string> notes = [.. layers.Where(layer => layer.Kind == "projector").Select(_ => "Its projector for images is left out: only text is served.")];
        return new RemoteModel(name, wanted.LocalName, [Blob(models[0], wanted.Tag + ".gguf")])
        {
            Texts = layers.Where(layer => s_texts.Contains(layer.Kind)).GroupBy(layer => layer.Kind).ToDictionary(group => group.Key, group => Blob(group.First(), group.Key)),
            Notes = notes,
        };

        RemoteFile Blob(OllamaManifest.Layer layer, string file) => new(file, new Uri($"{place}/blobs/sha256:{layer.Sha256}"), layer.Size, layer.Sha256);
    }

    private static List<OllamaManifest.Layer> ReadLayers(byte[] json, string name)
    {
        try
        {
            List<OllamaManifest.Layer> layers = [.. JsonSerializer.Deserialize<OllamaManifest>(json)?.Layers?.OfType<OllamaManifest.Layer>() ?? []];
            if (layers.Count > 0 && layers.All(layer => layer.Sha256 is not null && layer.Size >= 0)) return layers;
        }
        catch (JsonException)
        {
            // Said below.
        }

        throw new ModelStoreException($"The registry's manifest of {name} cannot be read: it names no layers with a SHA-256 and a size.", "check the registry's address: it should speak Ollama's protocol.");
    }
}
