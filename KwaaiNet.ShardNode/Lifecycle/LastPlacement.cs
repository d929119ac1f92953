using System.Text.Json;
using System.Text.Json.Serialization;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Transport;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Placement;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ShardNode.Lifecycle;

/// <summary>
/// The blocks this node chose last, in its home: what it loads when nobody can say what is missing.
/// <code>placement.json: { "model": "kwaai-demo", "weightsHash": "…", "blocks": "0-2", "redundant": false }</code>
/// </summary>
internal sealed partial class LastPlacement(IOptions<NodeOptions> options, ILogger<LastPlacement> logger)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "placement.json";

    private readonly string? _path = string.IsNullOrEmpty(options.Value.Home) ? null : Path.Combine(options.Value.Home, FileName);

    /// <summary>What was chosen last of this very model; null when nothing is known.</summary>
    public PlacementDecision? Read(OpenedModel model)
    {
        if (_path is null) return null;

        try
        {
            Content? content = JsonSerializer.Deserialize(File.ReadAllBytes(_path), PlacementJson.Default.Content);
            return content is not null && content.Model == model.Model && content.WeightsHash == model.WeightsHash
                && BlockRange.TryParse(content.Blocks, out BlockRange range) && range.End <= model.Shape.BlockCount
                    ? new PlacementDecision(range, content.Redundant)
                    : null;
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Remembers a choice. A home that cannot be written to costs no more than the memory.</summary>
    public void Write(OpenedModel model, PlacementDecision decision)
    {
        if (_path is null) return;

        try
        {
            Content content = new(model.Model, model.WeightsHash, decision.Range.ToString(), decision.IsRedundant);
            string draft = $"{_path}.{Environment.ProcessId}.tmp";
            Directory.CreateDirectory(Path.GetDirectoryName(_path)!);
            File.WriteAllBytes(draft, JsonSerializer.SerializeToUtf8Bytes(content, PlacementJson.Default.Content));
            File.Move(draft, _path, overwrite: true);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            LogNotWritten(failure.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "Which blocks were chosen could not be written down: {Reason}")]
    private partial void LogNotWritten(string reason);

    /// <summary>What the file says.</summary>
    internal sealed record Content(string Model, string WeightsHash, string Blocks, bool Redundant);
}

/// <summary>Source-generated JSON of <see cref="LastPlacement"/>'s file.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, WriteIndented = true)]
[JsonSerializable(typeof(LastPlacement.Content))]
internal sealed partial class PlacementJson : JsonSerializerContext;
