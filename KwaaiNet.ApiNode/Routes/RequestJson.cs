using System.Text.Json;
using KwaaiNet.ApiNode.Failures;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>One JSON object of a request, read field by field; every mistake names its field. A field that is null counts as left out.</summary>
/// <param name="element">The object.</param>
/// <param name="path">Where it stands: <c>messages[0].</c>; empty at the top.</param>
internal readonly struct RequestJson(JsonElement element, string path)
{
    /// <summary>Reads an object.</summary>
    /// <exception cref="InvalidChatRequestException">It is something else.</exception>
    public static RequestJson From(JsonElement element, string path) =>
        element.ValueKind == JsonValueKind.Object ? new RequestJson(element, $"{path}.") : throw WrongType(path, "an object", element);

    /// <summary>The field's full name.</summary>
    public string Path(string name) => path + name;

    /// <summary>The field, unless it is left out.</summary>
    public JsonElement? Find(string name) =>
        element.TryGetProperty(name, out JsonElement value) && value.ValueKind != JsonValueKind.Null ? value : null;

    /// <summary>A string.</summary>
    public string? String(string name) => Find(name) is { } value ? ReadString(value, Path(name)) : null;

    /// <summary><see langword="true"/> or <see langword="false"/>.</summary>
    public bool? Boolean(string name) => Find(name) is not { } value ? null : value.ValueKind switch
    {
        JsonValueKind.True => true,
        JsonValueKind.False => false,
        _ => throw WrongType(Path(name), "true or false", value),
    };

    /// <summary>A number within bounds.</summary>
    public double? Number(string name, double min, double max)
    {
        return Find(name) is { } value ? ReadNumber(value, Path(name), min, max) : null;
    }

    /// <summary>A whole number within bounds, also one that is written as <c>4.0</c> or <c>1e3</c>.</summary>
    /// <param name="name">The field.</param>
    /// <param name="min">The least value.</param>
    /// <param name="max">The greatest value.</param>
    /// <param name="remedy">What to do about a number below <paramref name="min"/>, a sentence; empty for nothing but another number.</param>
    public long? Integer(string name, long min, long max, string remedy = "")
    {
        if (Find(name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Number)
        {
            throw WrongType(Path(name), "a whole number", value);
        }

        if (!value.TryGetInt64(out long number) && !WholeNumber.TryRead(value.GetRawText(), out number))
        {
            throw new InvalidChatRequestException(Path(name), $"Invalid '{Path(name)}': {Shown(value)} is not a whole number of 64 bits.", "invalid_type");
        }

        return number < min
            ? throw new InvalidChatRequestException(Path(name), $"Invalid '{Path(name)}': {number} is below the least value, {min}.{(remedy.Length > 0 ? " " : "")}{remedy}", "integer_below_min_value")
            : number > max
            ? throw new InvalidChatRequestException(Path(name), $"Invalid '{Path(name)}': {number} is above the greatest value, {max}.", "integer_above_max_value")
            : number;
    }

    /// <summary>A number within bounds that stands where nothing may be left out: null is none.</summary>
    public static double ReadNumber(JsonElement value, string path, double min, double max) =>
        value.ValueKind != JsonValueKind.Number ? throw WrongType(path, "a number", value)
        : value.TryGetDouble(out double number) && number >= min && number <= max ? number
        : throw new InvalidChatRequestException(path, $"Invalid '{path}': {Shown(value)} is outside of {min:0.##} to {max:0.##}.", "invalid_value");

    /// <summary>Text of a JSON string.</summary>
    public static string ReadString(JsonElement value, string path)
    {
        if (value.ValueKind != JsonValueKind.String)
        {
            throw WrongType(path, "a string", value);
        }

        try
        {
            return value.GetString()!;
        }
        catch (InvalidOperationException)
        {
            // "\ud800": half of a character, which JSON's grammar allows and no text can hold.
            throw new InvalidChatRequestException(path, $"Invalid '{path}': the string holds half of a surrogate pair.", "invalid_value");
        }
    }

    /// <summary>The mistake of a value of another kind.</summary>
    public static InvalidChatRequestException WrongType(string path, string expected, JsonElement value)
    {
        string found = value.ValueKind switch
        {
            JsonValueKind.Object => "an object",
            JsonValueKind.Array => "an array",
            JsonValueKind.String => "a string",
            JsonValueKind.Number => "a number",
            JsonValueKind.True or JsonValueKind.False => "a boolean",
            _ => "null",
        };
        return new InvalidChatRequestException(path, $"Invalid type for '{path}': expected {expected}, but got {found} instead.", "invalid_type");
    }

    private static string Shown(JsonElement value)
    {
        string raw = value.GetRawText();
        return raw.Length > 40 ? $"{raw[..40]}…" : raw;
    }
}
