namespace KwaaiNet.ModelLab.Conversion;

/// <summary>How far stored weights are from the ones they stand for.</summary>
internal sealed class WeightError
{
    private double _difference;
    private double _size;
    private long _count;
    private long _bytes;

    /// <summary>Root of the mean squared difference over that of the weights: 0.01 is 1 %.</summary>
    public double Relative => Math.Sqrt(_difference / _size);

    /// <summary>Bits that one weight takes.</summary>
    public double BitsPerWeight => _bytes * 8.0 / _count;

    /// <summary>Takes in one tensor.</summary>
    public void Add(ReadOnlySpan<float> original, ReadOnlySpan<float> stored, long bytes)
    {
        for (int i = 0; i < original.Length; i++)
        {
            double difference = (double)stored[i] - original[i];
            _difference += difference * difference;
            _size += (double)original[i] * original[i];
        }

        _count += original.Length;
        _bytes += bytes;
    }
}
