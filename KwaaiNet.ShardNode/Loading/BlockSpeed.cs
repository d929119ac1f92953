using KwaaiNet.CandelEngine.Compute;

namespace KwaaiNet.ShardNode.Loading;

/// <summary>Measures freshly loaded blocks with a tiny run, so that a node announces a speed before its first session.</summary>
/// <param name="PrefillTokensPerSecond">Prompt positions a second through all blocks held; 0: not measured.</param>
/// <param name="DecodeTokensPerSecond">Single steps a second through all blocks held; 0: not measured.</param>
internal readonly record struct BlockSpeed(double PrefillTokensPerSecond, double DecodeTokensPerSecond)
{
    private const int PrefillRows = 16;
    private const int DecodeSteps = 4;

    /// <summary>Runs some rows over all blocks. Zeros do: the time does not depend on the numbers.</summary>
    public static BlockSpeed Measure(IBlockStack stack, TimeProvider time)
    {
        BlockStackOptions held = stack.Options;
        int capacity = PrefillRows + DecodeSteps + 1;
        if (stack.Shape.ContextLength < capacity) return default;

        using KvCache cache = stack.CreateCache(held.FirstBlock, held.EndBlock);
        if (!cache.TryReserve(capacity)) return default;

        int width = stack.Shape.Width;
        float[] logits = held.OutputHead ? new float[stack.Shape.VocabularySize] : [];
        float[] output = held.OutputHead ? [] : new float[PrefillRows * width];
        BlockStep step = new() { Cache = cache, Rows = 1, Logits = logits, Boundary = stack.Shape.HiddenExceedsHalf ? HiddenFormat.F32 : HiddenFormat.F16 };
        BlockStep[] batch = [step];
        SetRows(1);
        stack.Run(batch); // warms code and weights

        step.Logits = default;
        SetRows(PrefillRows);
        double prefill = Time(1);
        step.Logits = logits;
        SetRows(1);
        double decode = Time(DecodeSteps);
        return new BlockSpeed(prefill > 0 ? PrefillRows / prefill : 0, decode > 0 ? DecodeSteps / decode : 0);

        void SetRows(int rows)
        {
            step.Rows = rows;
            step.Tokens = held.Embedding ? new int[rows] : default;
            step.Input = held.Embedding ? default : new float[rows * width];
            step.Output = output.Length > 0 ? output.AsMemory(0, rows * width) : default;
        }

        double Time(int runs)
        {
            long start = time.GetTimestamp();
            for (int run = 0; run < runs; run++) stack.Run(batch);
            return time.GetElapsedTime(start).TotalSeconds;
        }
    }
}
