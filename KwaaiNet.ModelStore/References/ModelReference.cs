using System.Text.RegularExpressions;

namespace KwaaiNet.ModelStore.References;

// registry names, as Ollama writes them:   [http[s]://][host[:port]/][namespace/]model[:tag]
//     llama3.1:8b    user/name:tag    registry.example:5000/ns/name:tag    http://localhost:5000/ns/name:tag
// hub names:                               hf:owner/repo[/path/file.gguf | :QUANT][@revision]
//     hf:owner/repo/file.gguf@main     hf:owner/repo:Q4_K_M     hf:owner/repo   (a repository of safetensors)

/// <summary>Where a model is to be had, as a user writes it.</summary>
public abstract partial record ModelReference
{
    /// <summary>Where the model is kept, below the store's folder: folders and a name without extension, with <c>/</c> between.</summary>
    public abstract string LocalName { get; }

    /// <summary>Reads a reference.</summary>
    /// <exception cref="ModelStoreException">It is none.</exception>
    public static ModelReference Parse(string text)
    {
        ArgumentNullException.ThrowIfNull(text);
        if (text.StartsWith("hf:", StringComparison.OrdinalIgnoreCase)) return ParseHub(text);
        Match match = RegistryName().Match(text);
        if (!match.Success || !IsSafe(match.Groups["model"].Value) || !IsSafe(match.Groups["namespace"].Value) || !IsSafe(match.Groups["tag"].Value))
            throw NotAName(text);
        string tag = match.Groups["tag"].Value;
        string space = match.Groups["namespace"].Value;
        string host = match.Groups["host"].Value;
        string? address = host.Length == 0 ? null : (match.Groups["scheme"] is { Length: > 0 } scheme ? scheme.Value : "https://") + host;
        // A port beyond 65535, say.
        if (address is not null && !Uri.TryCreate(address, UriKind.Absolute, out _)) throw NotAName(text);
        return new RegistryReference(
            address,
            space.Length == 0 ? "library" : space,
            match.Groups["model"].Value,
            tag.Length == 0 ? "latest" : tag);
    }

    private static HubReference ParseHub(string text)
    {
        Match match = HubName().Match(text);
        if (!match.Success) throw NotAName(text);
        string file = match.Groups["file"].Value;
        string revision = match.Groups["revision"].Value;
        string quant = match.Groups["quant"].Value;
        if (!IsSafe(match.Groups["owner"].Value) || !IsSafe(match.Groups["repo"].Value) || file.Split('/').Any(part => !IsSafe(part))) throw NotAName(text);
        return new HubReference(
            match.Groups["owner"].Value,
            match.Groups["repo"].Value,
            file.Length == 0 ? null : file,
            quant.Length == 0 ? null : quant,
            revision.Length == 0 ? "main" : revision);
    }

    /// <summary>Whether a part of a name may be a folder or a file: it cannot climb out of where it is put.</summary>
    internal static bool IsSafe(string part) => part is not ("." or "..") && !part.EndsWith('.') && part.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-' or '+' or ' ');

    private static ModelStoreException NotAName(string text) => new(
        $"'{text}' is not a model's name.",
        "write llama3.1:8b, user/name:tag, hf:owner/repo/file.gguf or hf:owner/repo:Q4_K_M.");

    [GeneratedRegex(@"^((?<scheme>https?://)?(?<host>[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+(:\d{1,5})?|localhost(:\d{1,5})?|[A-Za-z0-9-]+:\d{1,5}|\[[0-9a-fA-F:]+\](:\d{1,5})?)/)?((?<namespace>[A-Za-z0-9][\w.-]{0,79})/)?(?<model>[A-Za-z0-9][\w.-]{0,79})(:(?<tag>\w[\w.-]{0,79}))?$")]
    private static partial Regex RegistryName();

    [GeneratedRegex(@"^hf:(?<owner>[\w.-]{1,96})/(?<repo>[\w.-]{1,96})(/(?<file>[^@:\\]{1,512})|:(?<quant>[\w.-]{1,64}))?(@(?<revision>[\w./-]{1,128}))?$", RegexOptions.IgnoreCase)]
    private static partial Regex HubName();
}
