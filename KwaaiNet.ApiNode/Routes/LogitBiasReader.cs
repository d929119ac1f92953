using System.Globalization;
using System.Text.Json;
using KwaaiNet.ApiNode.Failures;
using KwaaiNet.Protocol.Sessions;

namespace KwaaiNet.ApiNode.Routes;

/// <summary>Reads <c>logit_bias</c>.</summary>
/// <remarks>
/// <code>{ "50256": -100, "15": 2.5 }</code>
/// Keys are token ids as JSON strings. Which ids there are depends on the model and is checked with it.
/// </remarks>
internal static class LogitBiasReader
{
    private const string Name = "logit_bias";

    /// <summary>Reads the field; null when it is left out or empty.</summary>
    /// <exception cref="InvalidChatRequestException">It is no map of ids to numbers from -100 to 100.</exception>
    public static IReadOnlyDictionary<int, float>? Read(RequestJson json)
    {
        if (json.Find(Name) is not { } value)
        {
            return null;
        }

        if (value.ValueKind != JsonValueKind.Object)
        {
            throw RequestJson.WrongType(Name, "an object", value);
        }

        Dictionary<int, float> biases = [];
        foreach (JsonProperty property in value.EnumerateObject())
        {
            if (biases.Count == SessionBounds.MaxLogitBiases)
            {
                throw new InvalidChatRequestException(Name, $"Invalid '{Name}': more than {SessionBounds.MaxLogitBiases} tokens.", "invalid_value");
            }

            if (!int.TryParse(property.Name, NumberStyles.None, CultureInfo.InvariantCulture, out int token))
            {
                string shown = property.Name.Length > 20 ? $"{property.Name[..20]}…" : property.Name;
                throw new InvalidChatRequestException(Name, $"Invalid '{Name}': the key '{shown}' is not a token id.", "invalid_value");
            }

            // "7" and "07", or one key twice: the last one counts, as everywhere in a request.
            biases[token] = (float)RequestJson.ReadNumber(property.Value, $"{Name}.{property.Name}", -100, 100);
        }

        return biases.Count == 0 ? null : biases;
    }
}
