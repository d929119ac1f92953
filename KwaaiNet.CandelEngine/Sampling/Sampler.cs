namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>Greedy decoding, and drawing with temperature, top-k and top-p, in this order.</summary>
/// <remarks>
/// The same logits, parameters and position give the same token on every machine: sums run in one order, the exponential is our own, and
/// the random number depends on seed and position alone. Scratch memory grows to the largest vocabulary seen, then nothing is allocated.
/// </remarks>
public sealed class Sampler : ISampler
{
    // Tokens that may still be drawn, best first where order matters: the upper half orders by falling logit, the lower half is the id.
    private ulong[] _candidates = [];
    private double[] _weights = [];

    /// <inheritdoc/>
    /// <exception cref="ArgumentException">There is no logit that is a number above −∞.</exception>
    /// <exception cref="ArgumentOutOfRangeException">A parameter is negative or not a number.</exception>
    public int Sample(Span<float> logits, SamplingParameters parameters, int position)
    {
        ArgumentNullException.ThrowIfNull(parameters);
        int best = IndexOfBest(logits);
        if (!(parameters.Temperature >= 0))
            throw new ArgumentOutOfRangeException(nameof(parameters), parameters.Temperature, "The temperature is a number from 0.");
        ArgumentOutOfRangeException.ThrowIfNegative(parameters.TopK);
        if (!(parameters.TopP >= 0))
            throw new ArgumentOutOfRangeException(nameof(parameters), parameters.TopP, "Top-p is a number from 0 to 1.");
        if (parameters.Temperature == 0 || parameters.TopK == 1 || parameters.TopP == 0)
            return best;

        Reserve(logits.Length);
        int count = parameters.TopK > 0 && parameters.TopK < logits.Length ? TakeBest(logits, parameters.TopK) : TakeAll(logits);
        double total = Weigh(logits, count, logits[best], parameters.Temperature);
        if (parameters.TopP < 1)
            (count, total) = TakeNucleus(logits, count, total, parameters.TopP, logits[best], parameters.Temperature);
        return Draw(count, total * Philox.Uniform(parameters.Seed, position));
    }

    private static int IndexOfBest(ReadOnlySpan<float> logits)
    {
        int best = -1;
        float highest = float.NegativeInfinity;
        for (int id = 0; id < logits.Length; id++)
        {
            // False for NaN.
            if (logits[id] > highest)
            {
                highest = logits[id];
                best = id;
            }
        }

        return best >= 0 ? best : throw new ArgumentException($"None of the {logits.Length} logits is a number above minus infinity.", nameof(logits));
    }

    /// <summary>A key that sorts by falling logit, then rising id. The logit is not NaN.</summary>
    private static ulong KeyOf(float logit, int id)
    {
        // IEEE bits order as integers once negative numbers are inverted and positive ones moved above them. -0 becomes +0 first.
        uint bits = BitConverter.SingleToUInt32Bits(logit + 0f);
        uint rising = (bits & 0x8000_0000) != 0 ? ~bits : bits | 0x8000_0000;
        return ((ulong)~rising << 32) | (uint)id;
    }

    private static int IdOf(ulong candidate) => (int)(uint)candidate;

    private static double WeightOf(float logit, float highest, float temperature) =>
        logit == highest ? 1 : float.IsPositiveInfinity(highest) ? 0 : PortableExponential.Exp(((double)logit - highest) / temperature);

    private void Reserve(int vocabulary)
    {
        if (_candidates.Length >= vocabulary)
            return;
        _candidates = new ulong[vocabulary];
        _weights = new double[vocabulary];
    }

    private int TakeAll(ReadOnlySpan<float> logits)
    {
        int count = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (logits[id] > float.NegativeInfinity)
                _candidates[count++] = KeyOf(logits[id], id);
        }

        return count;
    }

    /// <summary>Keeps the best <paramref name="most"/>, sorted: a heap with the worst of the kept on top, so that most tokens cost one comparison.</summary>
    private int TakeBest(ReadOnlySpan<float> logits, int most)
    {
        int count = 0;
        for (int id = 0; id < logits.Length; id++)
        {
            if (!(logits[id] > float.NegativeInfinity))
                continue;
            ulong key = KeyOf(logits[id], id);
            if (count < most)
            {
                SiftUp(count++, key);
            }
            else if (key < _candidates[0])
            {
                SiftDown(count, key);
            }
        }

        _candidates.AsSpan(0, count).Sort();
        return count;
    }

    private void SiftUp(int at, ulong key)
    {
        while (at > 0 && _candidates[(at - 1) / 2] < key)
        {
            _candidates[at] = _candidates[(at - 1) / 2];
            at = (at - 1) / 2;
        }

        _candidates[at] = key;
    }

    private void SiftDown(int count, ulong key)
    {
        int at = 0;
        while (true)
        {
            int child = (2 * at) + 1;
            if (child + 1 < count && _candidates[child + 1] > _candidates[child])
                child++;
            if (child >= count || _candidates[child] <= key)
                break;
            _candidates[at] = _candidates[child];
            at = child;
        }

        _candidates[at] = key;
    }

    private double Weigh(ReadOnlySpan<float> logits, int count, float highest, float temperature)
    {
        double total = 0;
        for (int i = 0; i < count; i++)
        {
            _weights[i] = WeightOf(logits[IdOf(_candidates[i])], highest, temperature);
            total += _weights[i];
        }

        return total;
    }

    /// <summary>Keeps the fewest most likely tokens whose weights reach <paramref name="topP"/> of the total.</summary>
    private (int Count, double Total) TakeNucleus(ReadOnlySpan<float> logits, int count, double total, float topP, float highest, float temperature)
    {
        // Tokens below (1 - p) / n of the total weigh less than 1 - p together, so all of the nucleus is above: the rest need no sorting.
        double threshold = total * (1 - topP) / count;
        int kept = 0;
        for (int i = 0; i < count; i++)
        {
            if (_weights[i] >= threshold)
                _candidates[kept++] = _candidates[i];
        }

        _candidates.AsSpan(0, kept).Sort();
        double reached = 0;
        for (int i = 0; i < kept; i++)
        {
            _weights[i] = WeightOf(logits[IdOf(_candidates[i])], highest, temperature);
            reached += _weights[i];
            if (reached >= topP * total)
                return (i + 1, reached);
        }

        return (kept, reached);
    }

    /// <summary>The candidate in whose share of the total the target lies.</summary>
    private int Draw(int count, double target)
    {
        int last = 0;
        double reached = 0;
        for (int i = 0; i < count; i++)
        {
            if (_weights[i] == 0)
                continue;
            last = i;
            reached += _weights[i];
            if (reached > target)
                break;
        }

        return IdOf(_candidates[last]);
    }
}
