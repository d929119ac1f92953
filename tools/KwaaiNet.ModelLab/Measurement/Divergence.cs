namespace KwaaiNet.ModelLab.Measurement;

/// <summary>How far one model's next-token distributions are from another's.</summary>
/// <remarks>Kullback-Leibler divergence in nats, of the other from the reference, D(P‖Q) = Σ p ln(p/q), each distribution a softmax in double precision.</remarks>
internal sealed class Divergence
{
    private readonly List<double> _values = [];
    private int _agreed;

    /// <summary>Positions compared.</summary>
    public int Count => _values.Count;

    /// <summary>The mean over positions.</summary>
    public double Mean => _values.Average();

    /// <summary>What 99 positions in a hundred do not exceed.</summary>
    public double P99 => _values.Order().ElementAt((int)Math.Ceiling(0.99 * _values.Count) - 1);

    /// <summary>The worst position.</summary>
    public double Max => _values.Max();

    /// <summary>The fraction of positions at which both hold the same token likeliest.</summary>
    public double Agreement => (double)_agreed / Count;

    /// <summary>Takes in a sequence, position by position.</summary>
    public void Add(float[][] reference, float[][] other)
    {
        for (int i = 0; i < reference.Length; i++)
            Add(reference[i], other[i]);
    }

    /// <summary>Takes in one position.</summary>
    public void Add(float[] reference, float[] other)
    {
        double[] p = LogSoftmax(reference);
        double[] q = LogSoftmax(other);
        double sum = 0;
        for (int i = 0; i < p.Length; i++)
            sum += Math.Exp(p[i]) * (p[i] - q[i]);
        _values.Add(Math.Max(0, sum)); // rounding may leave a hair below zero
        if (ModelRun.Best(reference) == ModelRun.Best(other))
            _agreed++;
    }

    private static double[] LogSoftmax(float[] logits)
    {
        double max = logits.Max();
        double log = Math.Log(logits.Sum(logit => Math.Exp(logit - max)));
        return Array.ConvertAll(logits, logit => logit - max - log);
    }
}
