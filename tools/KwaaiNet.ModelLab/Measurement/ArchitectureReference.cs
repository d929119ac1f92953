using System.Text.Json;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.ModelLab.Synthesis;

namespace KwaaiNet.ModelLab.Measurement;

/// <summary>What llama.cpp makes of a synthetic model, in brief: enough to notice any difference, small enough to keep.</summary>
/// <param name="MadeBy">How the file was made.</param>
/// <param name="Recipe">Which model.</param>
/// <param name="Seed">Which weights.</param>
/// <param name="ModelSha256">The model file's hash: the generator must make the same bytes for the comparison to mean anything.</param>
/// <param name="Positions">The positions kept.</param>
internal sealed record ArchitectureReference(string MadeBy, string Recipe, int Seed, string ModelSha256, PositionLogits[] Positions)
{
    /// <summary>The seed of the kept models.</summary>
    public const int KeptSeed = 1;

    private const int KeptPositions = 8;
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Keeps positions from the first to the last that are compared, evenly.</summary>
    public static ArchitectureReference Make(Recipe recipe, string model, float[][] logits)
    {
        using GgufFile file = GgufFile.Open(model);
        return new(
            "modellab architectures (tools/KwaaiNet.ModelLab): llama.cpp v0.5.0 on the CPU, float32 KV cache, no flash attention",
            recipe.Name,
            KeptSeed,
            file.Sha256,
            [.. Enumerable.Range(0, KeptPositions).Select(i => i * (recipe.PeerPositions - 1) / (KeptPositions - 1)).Select(position => PositionLogits.Of(position, logits[position]))]);
    }

    /// <summary>The greatest difference between the kept figures and these logits.</summary>
    public float Distance(float[][] logits) => Positions.Max(position => position.Distance(logits[position.Position]));

    /// <summary>Reads a file that <see cref="Save"/> wrote.</summary>
    public static ArchitectureReference Read(string path) =>
        JsonSerializer.Deserialize<ArchitectureReference>(File.ReadAllText(path), s_json) ?? throw new InvalidDataException($"{path} holds no reference.");

    /// <summary>Writes the file.</summary>
    public void Save(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, s_json) + "\n");
}
