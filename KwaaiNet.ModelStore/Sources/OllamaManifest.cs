using System.Text.Json.Serialization;

namespace KwaaiNet.ModelStore.Sources;

// GET /v2/NAMESPACE/NAME/manifests/TAG, as registries of container images answer:
//
//   { "schemaVersion": 2, "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
//     "config": { "mediaType": "application/vnd.docker.container.image.v1+json", "digest": "sha256:…", "size": 485 },
//     "layers": [ { "mediaType": "application/vnd.ollama.image.model", "digest": "sha256:…", "size": 4661211808 }, … ] }
//
// Layers end in .model (the GGUF), .template (Go's template language), .params (JSON), .system, .license, .messages, .projector, .adapter, .tensor.

/// <summary>A registry's manifest of a model.</summary>
/// <param name="Layers">Its blobs.</param>
internal sealed record OllamaManifest([property: JsonPropertyName("layers")] IReadOnlyList<OllamaManifest.Layer?>? Layers)
{
    /// <summary>A blob of a model.</summary>
    /// <param name="MediaType">What it is.</param>
    /// <param name="Digest"><c>sha256:</c> and 64 hex digits.</param>
    /// <param name="Size">Its bytes.</param>
    internal sealed record Layer(
        [property: JsonPropertyName("mediaType")] string? MediaType,
        [property: JsonPropertyName("digest")] string? Digest,
        [property: JsonPropertyName("size")] long Size)
    {
        /// <summary>The last word of the media type: <c>model</c>, <c>params</c>.</summary>
        [JsonIgnore]
        public string Kind => MediaType?.Split(';')[0].Trim() is { } type && type.StartsWith("application/vnd.ollama.image.", StringComparison.Ordinal) ? type[(type.LastIndexOf('.') + 1)..] : "";

        /// <summary>The digest's hex digits, lower case; null when it is no SHA-256.</summary>
        [JsonIgnore]
        public string? Sha256 => Digest is { Length: 71 } && Digest.StartsWith("sha256:", StringComparison.Ordinal) && Digest[7..].All(char.IsAsciiHexDigit) ? Digest[7..].ToLowerInvariant() : null;
    }
}
