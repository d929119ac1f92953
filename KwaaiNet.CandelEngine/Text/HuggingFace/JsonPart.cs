using System.Text.Json;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>An object of a <c>tokenizer.json</c> whose <c>type</c> says what it is; reading names the part when something is amiss.</summary>
/// <param name="file">The file, for messages.</param>
/// <param name="part">What the object is, for messages.</param>
/// <param name="json">The object.</param>
internal readonly struct JsonPart(TokenizerJson file, string part, JsonElement json)
{
    /// <summary>What the object is.</summary>
    /// <exception cref="ModelFormatException">It does not say.</exception>
    public string Type => String("type");

    /// <summary>A text that must be there.</summary>
    /// <exception cref="ModelFormatException">It is not.</exception>
    public string String(string name) =>
        Get(name) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : throw file.Problem($"a {part} has no '{name}'");

    /// <summary>A text, or what stands for it.</summary>
    public string String(string name, string otherwise) => Get(name) is { ValueKind: JsonValueKind.String } value ? value.GetString()! : otherwise;

    /// <summary>A truth value, or what stands for it.</summary>
    public bool Flag(string name, bool otherwise) => Get(name) is { ValueKind: JsonValueKind.True or JsonValueKind.False } value ? value.GetBoolean() : otherwise;

    /// <summary>An integer, or what stands for it.</summary>
    public int Integer(string name, int otherwise) => Get(name) is { ValueKind: JsonValueKind.Number } value && value.TryGetInt32(out int number) ? number : otherwise;

    /// <summary>A list that must be there.</summary>
    /// <exception cref="ModelFormatException">It is not.</exception>
    public JsonElement.ArrayEnumerator Array(string name) =>
        Get(name) is { ValueKind: JsonValueKind.Array } value ? value.EnumerateArray() : throw file.Problem($"a {part} has no '{name}'");

    private JsonElement? Get(string name) => json.ValueKind == JsonValueKind.Object && json.TryGetProperty(name, out JsonElement value) ? value : null;
}
