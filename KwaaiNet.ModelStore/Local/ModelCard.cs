using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace KwaaiNet.ModelStore.Local;

/// <summary>What is known of a model beside its own file: where it came from, and what its publisher recommends. Kept as <c>FILE.card.json</c>.</summary>
public sealed record ModelCard
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What <c>kwaainet pull</c> calls it, or the path it was imported from.</summary>
    public required string Source { get; init; }

    /// <summary>Where its bytes came from; null: from this machine.</summary>
    public string? Address { get; init; }

    /// <summary>SHA-256 of the whole published file, lower-case hex; null: not known, or several files.</summary>
    public string? Sha256 { get; init; }

    /// <summary>The blocks held, <c>0-7</c> or <c>none</c>; null: all.</summary>
    public string? Blocks { get; init; }

    /// <summary>When it came.</summary>
    public DateTimeOffset Pulled { get; init; }

    /// <summary>Recommended settings by the registry's names, such as <c>temperature</c>, <c>top_k</c>, <c>stop</c>; null: none.</summary>
    public JsonObject? Parameters { get; init; }

    /// <summary>A recommended system prompt; null: none.</summary>
    public string? System { get; init; }

    /// <summary>The registry's prompt template, in Go's template language. Not used where the model's file has its own, which it nearly always has.</summary>
    public string? Template { get; init; }

    /// <summary>The licence's text; null: not given.</summary>
    public string? License { get; init; }

    /// <summary>Where the card of a model is kept: beside its file, in its folder.</summary>
    public static string PathFor(string model) => Directory.Exists(model) ? Path.Combine(model, "kwaainet.card.json") : model + ".card.json";

    /// <summary>Reads a model's card; null when it has none that can be read.</summary>
    public static ModelCard? Read(string model)
    {
        try
        {
            return JsonSerializer.Deserialize<ModelCard>(File.ReadAllBytes(PathFor(model)), s_json);
        }
        catch (Exception exception) when (exception is IOException or JsonException or UnauthorizedAccessException)
        {
            // Somebody's own file has none; a damaged one costs its reader a column, not the command.
            return null;
        }
    }

    /// <summary>Writes a model's card, at once: several pulls of one model may end in the same moment.</summary>
    public void Write(string model)
    {
        string path = PathFor(model);
        string fresh = $"{path}.{Guid.NewGuid():N}.new";
        try
        {
            File.WriteAllBytes(fresh, JsonSerializer.SerializeToUtf8Bytes(this, s_json));
            File.Move(fresh, path, overwrite: true);
        }
        finally
        {
            File.Delete(fresh);
        }
    }

    /// <summary>Reads a registry's parameters; null for none, and for what is no JSON object.</summary>
    public static JsonObject? ReadParameters(string? json)
    {
        try
        {
            return json is null ? null : JsonNode.Parse(json) as JsonObject;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
