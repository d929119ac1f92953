using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Tests.Compute;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>The greedy tokens of two chains from the same prompt, and how clear the first one's choices were.</summary>
/// <param name="Expected">The first chain's tokens.</param>
/// <param name="Leads">How far each of them led the second best, in logits.</param>
/// <param name="Actual">The second chain's tokens.</param>
internal sealed record GreedyComparison(int[] Expected, float[] Leads, int[] Actual)
{
    // Two backends differ by a few thousandths where activations are rounded and by millionths where they are not; a choice led by less may turn.
    private const float NearTie = 0.02f;

    /// <summary>The first token that differs; null where none does.</summary>
    public int? Parted => Enumerable.Range(0, Expected.Length).Where(i => Expected[i] != Actual[i]).Cast<int?>().FirstOrDefault();

    /// <summary>What a reader of a failed test needs to know: a tie that turned, or a wrong computation.</summary>
    public string Story => Parted is { } at
        ? $"parted at token {at} of {Expected.Length}: {Actual[at]} for {Expected[at]}, which led by {Leads[at]:g3}: {(Leads[at] < NearTie ? "a near tie, which rounding may turn" : "no tie, so one of them computes something else")}"
        : $"{Expected.Length} tokens the same; the least lead was {Leads.Min():g3}";

    public static GreedyComparison Run(StackChain expected, StackChain actual, int[] prompt, int count)
    {
        List<int> tokens = [];
        List<float> leads = [];
        using StackChain.Session session = expected.Open(prompt.Length + count);
        float[] logits = session.Run(prompt)[^1];
        while (true)
        {
            float[] best = [.. logits.OrderDescending().Take(2)];
            tokens.Add(StackChain.ArgMax(logits));
            leads.Add(best[0] - best[1]);
            if (tokens.Count == count) break;

            logits = session.Run([tokens[^1]])[0];
        }

        return new GreedyComparison([.. tokens], [.. leads], actual.Greedy(prompt, count, HiddenFormat.F16));
    }
}
