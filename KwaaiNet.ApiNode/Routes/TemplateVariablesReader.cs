using System.Text.Json;
using KwaaiNet.ApiNode.Chat;
using KwaaiNet.ApiNode.Failures;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Reads <c>chat_template_kwargs</c>.</summary>
/// <remarks>
/// <code>{ "enable_thinking": false }</code>
/// Which variables there are is the model's template's business; one that it does not know does nothing.
/// </remarks>
internal static class TemplateVariablesReader
{
    /// <summary>Reads the field; null when it is left out.</summary>
    /// <returns>An object that outlives the request's document.</returns>
    /// <exception cref="InvalidChatRequestException">It is no object, or holds text that is none.</exception>
    public static object? Read(RequestJson json)
    {
        if (json.Find(ChatProperties.TemplateVariables) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw RequestJson.WrongType(ChatProperties.TemplateVariables, "an object", value);
        }

        CheckText(value, ChatProperties.TemplateVariables);
        return value.Clone();
    }

    // Half a surrogate pair is found here, where it can be named, and not when the template reads it.
    private static void CheckText(JsonElement value, string path)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.String:
                _ = RequestJson.ReadString(value, path);
                break;
            case JsonValueKind.Array:
                foreach (JsonElement item in value.EnumerateArray())
                {
                    CheckText(item, path);
                }

                break;
            case JsonValueKind.Object:
                foreach (JsonProperty property in value.EnumerateObject())
                {
                    // A key that is no text throws here, and is told as one of the body.
                    _ = property.Name;
                    CheckText(property.Value, path);
                }

                break;
        }
    }
}
