using KwaaiNet.ModelLab.Synthesis;

namespace KwaaiNet.ModelLab.Measurement;

/// <summary>The sequences that two models are compared on: the reference's own text, drawn at temperature 1 from a fixed seed.</summary>
/// <remarks>A model's own text is what it will be used on; somebody else's would measure where the model is lost anyway.</remarks>
internal static class TokenStream
{
    private const int Seed = 20261122;

    /// <summary>Draws sequences as long as the model's context, each from BOS (or from the model's chat template around a greeting), until there are enough tokens.</summary>
    public static IReadOnlyList<int[]> Draw(ModelRun reference, int tokens)
    {
        int length = Math.Min(reference.File.Shape.ContextLength, 256);
        int[] start = Start(reference);
        WeightStream random = new(Seed, "token stream");
        List<int[]> sequences = [];
        for (int drawn = 0; drawn < tokens; drawn += length)
            sequences.Add([.. start, .. reference.Continue(start, length - start.Length, logits => Pick(logits, random.Uniform()))]);
        return sequences;
    }

    private static int[] Start(ModelRun reference) =>
        reference.File.ChatTemplate is { } template
            ? template.Encode(reference.File.Tokenizer, [new("user", "Tell me a story.")])
            : [reference.File.Tokenizer.BosId ?? 0];

    private static int Pick(float[] logits, float at)
    {
        double max = logits.Max();
        double left = at * logits.Sum(logit => Math.Exp(logit - max));
        for (int id = 0; id < logits.Length; id++)
        {
            left -= Math.Exp(logits[id] - max);
            if (left < 0)
                return id;
        }

        return ModelRun.Best(logits);
    }
}
