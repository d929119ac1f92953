using System.Text.Json;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>An independent float32 engine's greedy run over a model, from <c>*.ref.*.jsonl</c> of the test data.</summary>
/// <remarks>
/// First line: <c>{"prompt":"…","prompt_ids":[…]}</c>. Then one line a position:
/// <c>{"pos":0,"token":1,"top5":[[403,17.02],…],"sum":…,"l2":…,…}</c>: the token that went in and the logits that came out.
/// </remarks>
internal sealed record ReferenceRun(int[] Prompt, int[] Tokens, (int Id, float Logit)[][] Top)
{
    public static ReferenceRun Read(string path)
    {
        string[] lines = [.. File.ReadLines(path).Where(l => l.Length > 0)];
        using JsonDocument head = JsonDocument.Parse(lines[0]);
        int[] prompt = [.. head.RootElement.GetProperty("prompt_ids").EnumerateArray().Select(e => e.GetInt32())];
        List<int> tokens = [];
        List<(int, float)[]> top = [];
        foreach (string line in lines.Skip(1))
        {
            using JsonDocument position = JsonDocument.Parse(line);
            tokens.Add(position.RootElement.GetProperty("token").GetInt32());
            top.Add([.. position.RootElement.GetProperty("top5").EnumerateArray().Select(e => (e[0].GetInt32(), e[1].GetSingle()))]);
        }

        return new ReferenceRun(prompt, [.. tokens], [.. top]);
    }

    /// <summary>The largest difference between the reference's top logits and the given ones, over all given positions.</summary>
    public float Distance(float[][] logits) =>
        logits.Select((row, i) => Top[i].Max(t => MathF.Abs(row[t.Id] - t.Logit))).Max();
}
