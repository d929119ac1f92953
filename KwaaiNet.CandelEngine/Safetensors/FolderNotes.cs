using System.Text.Json;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Safetensors.Configuration;
using KwaaiNet.CandelEngine.Text.HuggingFace;

namespace KwaaiNet.CandelEngine.Safetensors;

// tokenizer_config.json    { "bos_token": "<s>" | { "content": "<s>", … } | null, "eos_token": …, "add_bos_token": true, "chat_template": "…" | [ { "name": "default", "template": "…" }, … ] }
// special_tokens_map.json  { "bos_token": … , "eos_token": … }, where the former has none
// generation_config.json   { "eos_token_id": 2 | [ 128001, 128009 ], … };  config.json may have it too
// chat_template.jinja      the template as a file of its own, which newer versions of the library prefer; chat_template.json is { "chat_template": "…" }

/// <summary>Reads what the small files of a model's folder say about its tokens.</summary>
internal static class FolderNotes
{
    // The longest templates have some tens of kilobytes.
    private const long MaximumTemplate = 1 << 22;
    private const string TokenizerConfiguration = "tokenizer_config.json";
    private const string TemplateName = "chat_template.jinja";
    private const string TemplateJson = "chat_template.json";

    /// <exception cref="ModelFormatException">A file is no JSON, or a value of the wrong kind.</exception>
    public static TokenizerNotes Read(string folder)
    {
        ConfigJson? tokenizer = Open(TokenizerConfiguration);
        ConfigJson? special = Open("special_tokens_map.json");
        ConfigJson? config = Open(ModelFolder.Configuration);
        IReadOnlyList<int> ends = EndIds(Open("generation_config.json"));
        if (ends.Count == 0)
            ends = EndIds(config);
        (string? template, string file) = TemplateFile(folder) is { } own ? (own, TemplateName)
            : Template(tokenizer) is { } configured ? (configured, TokenizerConfiguration)
            : (Template(Open(TemplateJson)), TemplateJson);
        return new TokenizerNotes
        {
            Bos = Token(tokenizer, "bos_token") ?? Token(special, "bos_token"),
            Eos = Token(tokenizer, "eos_token") ?? Token(special, "eos_token"),
            AddBos = tokenizer?.Flag("add_bos_token"),
            EndIds = ends,
            ChatTemplate = template,
            ChatTemplateFile = template is null ? null : file,
        };

        ConfigJson? Open(string name) => ConfigJson.OpenIfThere(Path.Combine(folder, name));
    }

    private static string? Token(ConfigJson? file, string key) =>
        file is null || !file.TryGet(key, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.Object ? file.Part(key)!.Text("content") : file.Text(key);

    private static IReadOnlyList<int> EndIds(ConfigJson? file)
    {
        const string Key = "eos_token_id";
        if (file is null || !file.TryGet(Key, out JsonElement value))
            return [];
        double[] ids = value.ValueKind == JsonValueKind.Array ? file.Numbers(Key)! : [file.Integer(Key)!.Value];
        return [.. ids.Where(id => id is >= 0 and <= int.MaxValue).Select(id => (int)id)];
    }

    private static string? TemplateFile(string folder)
    {
        FileInfo file = new(Path.Combine(folder, TemplateName));
        if (!file.Exists)
            return null;
        RegularFile.Require(file.FullName);
        return file.Length <= MaximumTemplate
            ? File.ReadAllText(file.FullName)
            : throw new ModelFormatException($"{file.FullName}: the template has {file.Length} bytes; at most {MaximumTemplate} are read.");
    }

    private static string? Template(ConfigJson? file)
    {
        const string Key = "chat_template";
        if (file is null || !file.TryGet(Key, out JsonElement value))
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            return file.Text(Key);
        string? first = null;
        foreach (JsonElement entry in value.EnumerateArray())
        {
            if (entry.ValueKind != JsonValueKind.Object || !entry.TryGetProperty("template", out JsonElement template) || ConfigJson.TextOf(template) is not { } source)
                throw file.Problem($"an entry of '{Key}' has no template");
            if (entry.TryGetProperty("name", out JsonElement name) && ConfigJson.TextOf(name) == "default")
                return source;
            first ??= source;
        }

        return first;
    }
}
