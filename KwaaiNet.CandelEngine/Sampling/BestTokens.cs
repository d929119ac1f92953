namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>Tokens ordered by falling logit and rising id, as integers, and the best few of a vocabulary.</summary>
/// <remarks>The upper half of a key orders by falling logit, the lower half is the id: no two keys are equal, so every order is the only one.</remarks>
internal static class BestTokens
{
    /// <summary>A key that sorts by falling logit, then rising id. The logit is not NaN.</summary>
    public static ulong KeyOf(float logit, int id)
    {
        // IEEE bits order as integers once negative numbers are inverted and positive ones moved above them. -0 becomes +0 first.
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f);
        uint rising = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
        return ((ulong)~rising << 32) | (uint)id;
    }

    /// <summary>The token of a key.</summary>
    public static int IdOf(ulong key) => (int)(uint)key;

    /// <summary>The logit of a key.</summary>
    public static float LogitOf(ulong key)
    {
        uint rising = ~(uint)(key >> 32);
        return BitConverter.UInt32BitsToSingle((rising & 0x8000_0000) != 0 ? rising & 0x7FFF_FFFF : ~rising);
    }

    /// <summary>Finds the best tokens whose logit is a number above −∞: as many as <paramref name="best"/> has room for, sorted.</summary>
    /// <returns>How many there are.</returns>
    public static int Select(ReadOnlySpan<float> logits, Span<ulong> best)
    {
        if (best.IsEmpty)
            return 0;
        // A heap with the worst of the kept on top, so that most tokens cost one comparison.
        int count = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (!(logits[id] > float.NegativeInfinity))
                continue;
            ulong key = KeyOf(logits[id], id);
            if (count < best.Length)
            {
                SiftUp(best, count++, key);
            }
            else if (key < best[0])
            {
                SiftDown(best, key);
            }
        }

        best[..count].Sort();
        return count;
    }

    private static void SiftUp(Span<ulong> heap, int at, ulong key)
    {
        while (at > 0 && heap[(at - 1) / 2] < key)
        {
            heap[at] = heap[(at - 1) / 2];
            at = (at - 1) / 2;
        }

        heap[at] = key;
    }

    private static void SiftDown(Span<ulong> heap, ulong key)
    {
        int at = 0;
        while (true)
        {
            int child = (2 * at) + 1;
            if (child + 1 < heap.Length && heap[child + 1] > heap[child])
                child++;
            if (child >= heap.Length || heap[child] <= key)
                break;
            heap[at] = heap[child];
            at = child;
        }

        heap[at] = key;
    }
}
