using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace KwaaiNet.ApiNode.OpenAIJson;

/// <summary>Writers of everything this API says, made at build time.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(ChatCompletion))]
[JsonSerializable(typeof(CompletionChunk))]
[JsonSerializable(typeof(CompletionChunkWithUsage))]
[JsonSerializable(typeof(ErrorEnvelope))]
[JsonSerializable(typeof(ModelList))]
[JsonSerializable(typeof(HealthReply))]
internal sealed partial class ApiJsonContext : JsonSerializerContext
{
    /// <summary>Text as it is: the answer is JSON and never placed into HTML, so only JSON's own characters are escaped.</summary>
    public static ApiJsonContext Unescaped { get; } = new(new JsonSerializerOptions
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    });
}
