using System.Text.Json;

namespace KwaaiNet.Cli.Api;

/// <summary>How the OpenAI wire is read and written.</summary>
internal static class ApiJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <summary>The message of an error object; null when the body is something else.</summary>
    public static string? ErrorMessage(string body)
    {
        try
        {
            return JsonSerializer.Deserialize<ApiChunk>(body, Options)?.Error?.Message;
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
