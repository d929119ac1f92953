using System.Text.Encodings.Web;
using System.Text.Json;

namespace KwaaiNet.Cli.Output;

/// <summary>The form of every <c>--json</c> output.</summary>
internal static class CommandJson
{
    public static JsonSerializerOptions Options { get; } = new(JsonSerializerDefaults.Web)
    {
        WriteIndented = true,
        // Read by programs and in terminals, never pasted into a page: '+' may stay '+'.
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };
}
