namespace KwaaiNet.ModelLab.Synthesis;

/// <summary>One tensor of a synthetic model.</summary>
/// <param name="Name">GGUF's name.</param>
/// <param name="Shape">Lengths in ggml's order: the row's first.</param>
/// <param name="Fill">What its numbers are.</param>
/// <param name="Deviation">Standard deviation of the numbers, where they are random about 0.</param>
/// <param name="Values">The numbers, where they are given.</param>
internal sealed record SyntheticTensor(string Name, long[] Shape, SyntheticFill Fill, float Deviation = 0, float[]? Values = null)
{
    /// <summary>Numbers in the tensor.</summary>
    public int Count => checked((int)Shape.Aggregate(1L, (product, length) => product * length));

    /// <summary>Whether the tensor is stored as the model's weights are; vectors and what steers the experts stay float32, as converters write them.</summary>
    public bool IsWeight => Shape.Length > 1 && !Name.Contains("ffn_gate_inp", StringComparison.Ordinal);

    /// <summary>The tensor's numbers.</summary>
    public float[] Numbers(int seed)
    {
        if (Values is not null)
            return Values;
        WeightStream stream = new(seed, Name);
        var numbers = new float[Count];
        for (int i = 0; i < numbers.Length; i++)
            numbers[i] = Fill == SyntheticFill.Norm ? 0.5f + stream.Uniform() : stream.Normal() * Deviation;
        return numbers;
    }
}
