using System.Text.Json;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;

namespace KwaaiNet.ModelLab.Measurement;

/// <summary>llama.cpp's greedy continuations of one model file, as the parity tests keep them.</summary>
/// <param name="MadeBy">How the file was made.</param>
/// <param name="ModelSha256">Which model file.</param>
/// <param name="Runs">The continuations.</param>
internal sealed record GreedyReference(string MadeBy, string ModelSha256, GreedyRun[] Runs)
{
    /// <summary>Tokens in a continuation.</summary>
    public const int Length = 200;

    private static readonly string[] s_prompts = ["Once upon a time", "Lily and Tom went to the park.", "One day, a big dog was sad because"];
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Asks llama.cpp.</summary>
    public static GreedyReference Make(string model, Peer peer)
    {
        using ModelFile file = ModelFile.Open(model);
        GreedyRun[] runs = [.. s_prompts.Select(prompt =>
        {
            int[] ids = [1, .. file.Tokenizer.Encode(prompt)];
            (int[] added, float[] leads) = peer.Greedy(model, ids, Length);
            return new GreedyRun(prompt, ids, added, leads);
        })];
        return new("modellab greedy (tools/KwaaiNet.ModelLab): llama.cpp v0.5.0 on the CPU, float32 KV cache, no flash attention", file.WeightsHash, runs);
    }

    /// <summary>Reads a file that <see cref="Save"/> wrote.</summary>
    public static GreedyReference Read(string path) =>
        JsonSerializer.Deserialize<GreedyReference>(File.ReadAllText(path), s_json) ?? throw new InvalidDataException($"{path} holds no greedy runs.");

    /// <summary>Writes the file.</summary>
    public void Save(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, s_json) + "\n");
}
