using KwaaiNet.CandelEngine.Safetensors;
using KwaaiNet.Fuzz.Mutation;

namespace KwaaiNet.Fuzz.Seeds;

/// <summary>Small safetensors files.</summary>
internal static class SafetensorsSeeds
{
    public static IReadOnlyList<FuzzSeed> All() =>
    [
        Build("a model's", writer =>
        {
            writer.AddMetadata("format", "pt");
            writer.AddTensor("model.embed_tokens.weight", SafetensorsType.BF16, 4, 8);
            writer.AddTensor("model.layers.0.self_attn.q_proj.weight", SafetensorsType.F16, 8, 8);
            writer.AddTensor("model.norm.weight", SafetensorsType.F32, 8);
            writer.AddTensor("scalar", SafetensorsType.F32);
            writer.AddTensor("empty", SafetensorsType.F32, 0, 8);
        }, ["model.embed_tokens.weight", "model.layers.0.self_attn.q_proj.weight", "model.norm.weight", "scalar"], [64, 128, 32, 4]),
        Build("nothing", _ => { }, [], []),
        Build("many small tensors", writer =>
        {
            for (int i = 0; i < 800; i++)
                writer.AddTensor($"t{i}", SafetensorsType.F16, 1);
        }, [.. Enumerable.Range(0, 800).Select(i => $"t{i}")], [.. Enumerable.Repeat(2, 800)]),
        Build("many notes", writer =>
        {
            for (int i = 0; i < 1000; i++)
                writer.AddMetadata($"k{i}", "");
        }, [], []),
    ];

    private static FuzzSeed Build(string name, Action<SafetensorsWriter> add, string[] tensors, int[] bytes)
    {
        using MemoryStream stream = new();
        using SafetensorsWriter writer = new(stream, leaveOpen: true);
        add(writer);
        foreach ((string tensor, int length) in tensors.Zip(bytes))
            writer.WriteTensor(tensor, new byte[length]);
        writer.Finish();
        return new FuzzSeed(name, stream.ToArray(), [0, 0, 8]);
    }
}
