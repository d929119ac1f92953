using System.Text.Json;
using System.Text.RegularExpressions;
using KwaaiNet.ModelStore.References;
using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Sources;

// GET /api/models/OWNER/REPO/tree/REVISION?recursive=true
//
//   [ { "type": "file", "path": "model-Q4_K_M.gguf", "size": 4920734272, "oid": "…git's id…", "lfs": { "oid": "…SHA-256…", "size": 4920734272 } }, … ]
//
// GET /OWNER/REPO/resolve/REVISION/PATH redirects to the file's bytes, with X-Linked-Etag (SHA-256) and X-Linked-Size.

/// <summary>The Hugging Face hub: repositories of files.</summary>
internal sealed partial class HuggingFaceHub(FileTransfer transfer, ModelStoreOptions options) : IModelSource
{
    private const int MostListBytes = 1 << 24;

    // What a model of safetensors is read from.
    private static readonly string[] s_modelTexts =
        ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json", "chat_template.jinja", "model.safetensors.index.json"];

    /// <inheritdoc/>
    public async Task<RemoteModel?> FindAsync(ModelReference reference, CancellationToken cancellationToken)
    {
        if (reference is not HubReference wanted) return null;
        List<TreeEntry> files = await ListAsync(wanted, cancellationToken).ConfigureAwait(false);
        if (wanted.File is not null || wanted.Quant is not null) return Gguf(wanted, files);
        TreeEntry[] weights = [.. files.Where(file => !file.Path.Contains('/') && file.Path.EndsWith(".safetensors", StringComparison.Ordinal))];
        if (weights.Length == 0 || files.All(file => file.Path != "config.json"))
        {
            throw new ModelStoreException(
                $"{wanted} holds no model of safetensors.", $"say which file to take: {string.Join(", ", Choices(wanted, files).DefaultIfEmpty("there is no .gguf in it either"))}.");
        }

        return new RemoteModel(
            wanted.ToString(),
            wanted.LocalName,
            [.. files.Where(file => s_modelTexts.Contains(file.Path)).Concat(weights).Select(file => Remote(wanted, file))])
        { IsFolder = true };
    }

    private async Task<List<TreeEntry>> ListAsync(HubReference wanted, CancellationToken cancellationToken)
    {
        string address = $"{options.HuggingFace.TrimEnd('/')}/api/models/{wanted.Owner}/{wanted.Repository}/tree/{Uri.EscapeDataString(wanted.Revision)}?recursive=true";
        try
        {
            byte[] json = await transfer.ReadAllAsync(
                new RemoteFile($"list of files of {wanted}", new Uri(address), null, null) { Token = options.HuggingFaceToken }, MostListBytes, cancellationToken).ConfigureAwait(false);
            return [.. (JsonSerializer.Deserialize<TreeEntry?[]>(json, JsonSerializerOptions.Web) ?? []).OfType<TreeEntry>().Where(file => file is { Type: "file", Path.Length: > 0 })];
        }
        catch (JsonException exception)
        {
            throw new ModelStoreException($"The list of files of {wanted} cannot be read.", "check the hub's address, ModelStore__HuggingFace.", exception);
        }
        catch (ModelStoreException) when (wanted.File is not null && !wanted.File.Contains("-of-", StringComparison.Ordinal))
        {
            // A mirror may hold files and no lists; the headers of the file's own redirect then have size and digest.
            return [new TreeEntry("file", wanted.File, null, null, null)];
        }
    }

    private RemoteModel Gguf(HubReference wanted, List<TreeEntry> files)
    {
        TreeEntry[] found = wanted.File is not null
            ? [.. files.Where(file => file.Path == wanted.File)]
            : [.. files.Where(file => IsModel(file.Path) && Path.GetFileNameWithoutExtension(file.Path).Contains(wanted.Quant!, StringComparison.OrdinalIgnoreCase))];
        List<IGrouping<string, TreeEntry>> models = [.. found.GroupBy(file => SplitName().Replace(file.Path, ""))];
        if (models.Count == 0)
        {
            throw new ModelStoreException(
                $"{wanted.Owner}/{wanted.Repository} has no {wanted.File ?? $"GGUF file with '{wanted.Quant}' in its name"} at {wanted.Revision}.",
                $"choose one of: {string.Join(", ", Choices(wanted, files).DefaultIfEmpty("there is no .gguf in it"))}.");
        }

        if (models.Count > 1)
        {
            throw new ModelStoreException(
                $"'{wanted.Quant}' fits {models.Count} files of {wanted.Owner}/{wanted.Repository}.",
                $"say which: {string.Join(", ", models.Select(model => $"hf:{wanted.Owner}/{wanted.Repository}/{model.First().Path}"))}.");
        }

        TreeEntry[] parts = [.. models[0].OrderBy(file => file.Path, StringComparer.Ordinal)];
        Match split = SplitName().Match(parts[0].Path);
        if (split.Success)
        {
            // One part was named, or found: all of them are the model.
            int count = int.Parse(split.Groups["count"].ValueSpan, System.Globalization.CultureInfo.InvariantCulture);
            parts = [.. files.Where(file => SplitName().Replace(file.Path, "") == models[0].Key && SplitName().IsMatch(file.Path)).OrderBy(file => file.Path, StringComparer.Ordinal)];
            if (parts.Length != count) throw new ModelStoreException($"{wanted} is split into {count} parts, and {parts.Length} are there.", "choose another file of the repository.");
        }

        HubReference named = wanted with { File = parts[0].Path, Quant = null };
        return new RemoteModel(named.ToString(), $"{wanted.Owner}/{wanted.Repository}/{Path.GetFileNameWithoutExtension(parts[0].Path)}", [.. parts.Select(file => Remote(wanted, file))]);
    }

    private RemoteFile Remote(HubReference wanted, TreeEntry file)
    {
        string path = string.Join('/', file.Path.Split('/').Select(Uri.EscapeDataString));
        string name = file.Path[(file.Path.LastIndexOf('/') + 1)..];
        if (!ModelReference.IsSafe(name)) throw new ModelStoreException($"'{file.Path}' in {wanted} is no file name that can be kept here.", "choose another file.");
        string? sha256 = file.Lfs?.Oid is { Length: 64 } oid && oid.All(char.IsAsciiHexDigit) ? oid.ToLowerInvariant() : null;
        Uri address = new($"{options.HuggingFace.TrimEnd('/')}/{wanted.Owner}/{wanted.Repository}/resolve/{Uri.EscapeDataString(wanted.Revision)}/{path}");
        return new RemoteFile(name, address, file.Lfs?.Size ?? file.Size, sha256)
        {
            GitBlobId = sha256 is null && file is { Lfs: null, Oid.Length: 40, Size: not null } ? file.Oid.ToLowerInvariant() : null,
            Token = options.HuggingFaceToken,
        };
    }

    private static bool IsModel(string path) => path.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase) && !Path.GetFileName(path).StartsWith("mmproj", StringComparison.OrdinalIgnoreCase);

    private static IEnumerable<string> Choices(HubReference wanted, List<TreeEntry> files) => files
        .Where(file => IsModel(file.Path) && (SplitName().Match(file.Path) is not { Success: true } split || split.Groups["part"].Value.TrimStart('0') == "1"))
        .Select(file => $"hf:{wanted.Owner}/{wanted.Repository}/{file.Path}");

    [GeneratedRegex(@"-(?<part>\d{5})-of-(?<count>\d{5})(?=\.gguf$)", RegexOptions.IgnoreCase)]
    private static partial Regex SplitName();

    private sealed record TreeEntry(string? Type, string Path, long? Size, string? Oid, LfsEntry? Lfs);

    private sealed record LfsEntry(string? Oid, long? Size);
}
