using System.Text.Json;
using KwaaiNet.CandelEngine.Text.Jinja;

namespace KwaaiNet.CandelEngine.Tests.Text;

/// <summary>JSON as the template language's values, its text marked as somebody's words.</summary>
internal static class JinjaValuesOfJson
{
    /// <summary>The properties of objects, as names for a rendering; of equal names the last.</summary>
    public static Dictionary<string, object?> Names(params ReadOnlySpan<JsonElement> sources)
    {
        Dictionary<string, object?> names = [];
        foreach (JsonElement source in sources)
        {
            foreach (JsonProperty property in source.EnumerateObject())
                names[property.Name] = ToValue(property.Value);
        }

        return names;
    }

    private static object? ToValue(JsonElement element)
    {
        switch (element.ValueKind)
        {
            case JsonValueKind.Object:
                JinjaMap map = new();
                foreach (JsonProperty property in element.EnumerateObject())
                    map.Set(JinjaText.FromUser(property.Name), ToValue(property.Value));
                return map;
            case JsonValueKind.Array:
                return new JinjaList([.. element.EnumerateArray().Select(ToValue)]);
            case JsonValueKind.String:
                return JinjaText.FromUser(element.GetString()!);
            case JsonValueKind.Number:
                return element.GetRawText() is var text && text.AsSpan().ContainsAny('.', 'e') ? element.GetDouble() : (object)element.GetInt64();
            default:
                return element.ValueKind == JsonValueKind.Null ? null : (object)element.GetBoolean();
        }
    }
}
