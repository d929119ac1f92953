using System.Text.Json;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>llama.cpp's greedy run of the demo model, as <c>tools/KwaaiNet.DemoModel/peer/reference.py</c> records it.</summary>
/// <param name="Prompt">Token ids of the prompt.</param>
/// <param name="Tokens">The token that went in at each position: the prompt, then llama.cpp's own choices.</param>
/// <param name="Stored">The five best logits after each, from the file as it is: activations rounded to 8 bits, KV cache in float16.</param>
/// <param name="Exact">The same from the weights written out as float32, with a float32 KV cache.</param>
internal sealed record DemoModelRun(int[] Prompt, int[] Tokens, (int Id, float Logit)[][] Stored, (int Id, float Logit)[][] Exact)
{
    public static DemoModelRun Read(string path)
    {
        using JsonDocument file = JsonDocument.Parse(File.ReadAllText(path));
        JsonElement[] positions = [.. file.RootElement.GetProperty("positions").EnumerateArray()];
        return new DemoModelRun(
            [.. file.RootElement.GetProperty("prompt_ids").EnumerateArray().Select(e => e.GetInt32())],
            [.. positions.Select(p => p.GetProperty("token").GetInt32())],
            [.. positions.Select(p => Top(p.GetProperty("top5")))],
            [.. positions.Select(p => Top(p.GetProperty("top5_f32")))]);
    }

    /// <summary>The largest difference between top logits and the given ones.</summary>
    public static float Distance((int Id, float Logit)[][] top, float[][] logits) =>
        logits.Select((row, i) => top[i].Max(t => MathF.Abs(row[t.Id] - t.Logit))).Max();

    private static (int Id, float Logit)[] Top(JsonElement top) => [.. top.EnumerateArray().Select(e => (e[0].GetInt32(), e[1].GetSingle()))];
}
