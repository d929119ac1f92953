using System.Text.Json;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Finds the texts of a JSON value that cannot be read, which the parser itself passes: bytes that are no UTF-8, and halves of surrogate pairs written as <c>\ud800</c>.</summary>
internal static class JsonText
{
    /// <summary>Reads every name and text once.</summary>
    /// <param name="value">A parsed value; as deep as the parser allowed.</param>
    /// <exception cref="InvalidOperationException">One cannot be read.</exception>
    public static void RequireReadable(JsonElement value)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                value.GetString();
                break;
            case JsonValueKind.Array:
                foreach (JsonElement element in value.EnumerateArray())
                    RequireReadable(element);
                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    _ = property.Name;
                    RequireReadable(property.Value);
                }

                break;
        }
    }
}
