using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Text.HuggingFace;

namespace KwaaiNet.CandelEngine.Safetensors.Configuration;

/// <summary>A model folder's small JSON file, such as <c>config.json</c>; reading a value says which one is missing or of the wrong kind.</summary>
/// <remarks>A value of null is the same as none, as the files' writers have it.</remarks>
internal sealed class ConfigJson
{
    // Vocabularies are in other files; the largest of these have some hundred kilobytes.
    private const long MaximumFile = 1 << 24;

    private readonly string _prefix;
    private readonly JsonElement _root;

    private ConfigJson(string path, JsonElement root, string prefix = "") => (Path, _root, _prefix) = (path, root, prefix);

    /// <summary>The full path.</summary>
    public string Path { get; }

    /// <summary>Opens a file; null when there is none.</summary>
    /// <exception cref="ModelFormatException">It is no JSON object, or far too large.</exception>
    public static ConfigJson? OpenIfThere(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        FileInfo file = new(path);
        if (!file.Exists)
            return null;
        RegularFile.Require(path);
        if (file.Length > MaximumFile)
            throw new ModelFormatException($"{path}: the file has {file.Length} bytes; at most {MaximumFile} are read. Download it again.");
        return Parse(path, File.ReadAllBytes(path));
    }

    /// <summary>Reads a file's bytes.</summary>
    /// <exception cref="ModelFormatException">It is no JSON object.</exception>
    internal static ConfigJson Parse(string path, ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes);
            JsonText.RequireReadable(document.RootElement);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
                return new ConfigJson(path, document.RootElement.Clone());
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new ModelFormatException($"{path}: not JSON: {e.Message} The file is damaged: download it again.", e);
        }

        throw new ModelFormatException($"{path}: the file holds no JSON object. Download it again.");
    }

    /// <summary>Whether the value is there and not null.</summary>
    public bool Has(string key) => TryGet(key, out _);

    /// <summary>Whether the value is there and null.</summary>
    public bool IsNull(string key) => _root.TryGetProperty(key, out JsonElement value) && value.ValueKind == JsonValueKind.Null;

    /// <summary>A text, or null.</summary>
    public string? Text(string key) =>
        !TryGet(key, out JsonElement value) ? null : value.ValueKind == JsonValueKind.String ? value.GetString()! : throw WrongKind(key, value, "a text");

    /// <summary>A whole number, or null.</summary>
    public long? Integer(string key)
    {
        if (!TryGet(key, out JsonElement value))
            return null;
        // Some writers put 32.0 for 32.
        if (value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && Math.Abs(number) < 1L << 53 && Math.Floor(number) == number)
            return (long)number;
        throw WrongKind(key, value, "a whole number");
    }

    /// <summary>A number, or null.</summary>
    public double? Number(string key) =>
        !TryGet(key, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && double.IsFinite(number) ? number
        : throw WrongKind(key, value, "a number");

    /// <summary>A truth value, or null.</summary>
    public bool? Flag(string key) =>
        !TryGet(key, out JsonElement value) ? null
        : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw WrongKind(key, value, "true or false");

    /// <summary>Numbers, or null.</summary>
    public double[]? Numbers(string key) => Elements(key, element => element.ValueKind == JsonValueKind.Number && element.TryGetDouble(out double number) && double.IsFinite(number) ? number : null);

    /// <summary>Texts, or null.</summary>
    public string[]? Texts(string key)
    {
        if (!TryGet(key, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Array && value.EnumerateArray().All(element => element.ValueKind == JsonValueKind.String)
            ? [.. value.EnumerateArray().Select(element => element.GetString()!)]
            : throw WrongKind(key, value, "a list of texts");
    }

    /// <summary>A value as it stands.</summary>
    public bool TryGet(string key, out JsonElement value) => _root.TryGetProperty(key, out value) && value.ValueKind != JsonValueKind.Null;

    /// <summary>The text of a value of this file, or null when it is none.</summary>
    public static string? TextOf(JsonElement value) => value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    /// <summary>An object inside, or null.</summary>
    public ConfigJson? Part(string key) =>
        !TryGet(key, out JsonElement value) ? null
        : value.ValueKind == JsonValueKind.Object ? new ConfigJson(Path, value, $"{_prefix}{key}.") : throw WrongKind(key, value, "an object");

    /// <summary>The exception for what the file says that cannot be run.</summary>
    public ModelFormatException Problem(string problem) => new($"{Path}: {problem}.");

    /// <summary>Says that the model uses something this engine does not run.</summary>
    public ModelFormatException NotRun(string feature) => Problem($"the model uses {feature}, which this engine does not run yet. Take a model without it");

    [DoesNotReturn]
    public void ThrowMissing(string key) => throw Problem($"'{_prefix}{key}' is missing. The file is damaged or of another kind of model: download it again");

    private double[]? Elements(string key, Func<JsonElement, double?> read)
    {
        if (!TryGet(key, out JsonElement value))
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw WrongKind(key, value, "a list of numbers");
        double[] numbers = new double[value.GetArrayLength()];
        int at = 0;
        foreach (JsonElement element in value.EnumerateArray())
            numbers[at++] = read(element) ?? throw WrongKind(key, value, "a list of numbers");
        return numbers;
    }

    private ModelFormatException WrongKind(string key, JsonElement value, string wanted)
    {
        string text = value.GetRawText();
        return Problem($"'{_prefix}{key}' is {(text.Length > 40 ? text[..40] + "\u2026" : text)}; it should be {wanted}. The file is damaged or of another kind of model: download it again");
    }
}
