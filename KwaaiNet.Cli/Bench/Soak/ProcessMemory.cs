using System.Text.Json.Serialization;

namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>Resident memory of one process.</summary>
/// <param name="Name">The node; <c>client</c>: this command.</param>
/// <param name="StartBytes">When the twins had been computed.</param>
/// <param name="EndBytes">When the last answer had ended and nothing was open; null: the process had ended.</param>
internal sealed record ProcessMemory(
    [property: JsonPropertyName("name")] string Name,
    [property: JsonPropertyName("memory_start_bytes")] long StartBytes,
    [property: JsonPropertyName("memory_end_bytes")] long? EndBytes);
