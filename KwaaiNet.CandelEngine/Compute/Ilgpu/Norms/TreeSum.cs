using KwaaiNet.CandelEngine.Compute.Ilgpu.Arithmetic;

namespace KwaaiNet.CandelEngine.Compute.Ilgpu.Norms;

/// <summary>
/// Adds the numbers of 32 lanes in one thread in the order of a warp's exchanges: lanes 16 apart, then 8, 4, 2 and 1.
/// Numbers are given lane by lane in the order of <see cref="Lane"/>; the last one's result is the sum.
/// </summary>
internal struct TreeSum
{
    private float _sixteens;
    private float _eights;
    private float _fours;
    private float _twos;
    private float _ones;

    /// <summary>The lane whose number comes as the n-th: n's five bits, last to first.</summary>
    internal static int Lane(int n) =>
        ((n & 1) << 4) | ((n & 2) << 2) | (n & 4) | ((n & 8) >> 2) | ((n & 16) >> 4);

    /// <summary>Adds the n-th number.</summary>
    /// <returns>The sum of all, when n is 31.</returns>
    internal float Add(int n, float value)
    {
        if ((n & 1) == 0) return _sixteens = value;
        value = Rounded.Add(_sixteens, value);
        if ((n & 2) == 0) return _eights = value;
        value = Rounded.Add(_eights, value);
        if ((n & 4) == 0) return _fours = value;
        value = Rounded.Add(_fours, value);
        if ((n & 8) == 0) return _twos = value;
        value = Rounded.Add(_twos, value);
        if ((n & 16) == 0) return _ones = value;
        return Rounded.Add(_ones, value);
    }
}
