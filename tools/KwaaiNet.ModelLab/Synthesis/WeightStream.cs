using System.Text;

namespace KwaaiNet.ModelLab.Synthesis;

/// <summary>Random numbers that are the same bits on every machine: integers in, one exact scaling out, no transcendental function.</summary>
/// <remarks>SplitMix64 (Steele, Lea and Flood, "Fast Splittable Pseudorandom Number Generators", 2014). A stream belongs to one tensor, so another tensor more changes no other's numbers.</remarks>
internal sealed class WeightStream
{
    private ulong _state;

    /// <summary>The stream of one tensor.</summary>
    /// <param name="seed">The model's seed.</param>
    /// <param name="tensor">The tensor's name.</param>
    public WeightStream(int seed, string tensor)
    {
        // FNV-1a of the name, so that the start does not depend on .NET's own string hashes.
        _state = 14695981039346656037UL ^ (uint)seed;
        foreach (byte value in Encoding.UTF8.GetBytes(tensor))
            _state = (_state ^ value) * 1099511628211UL;
    }

    /// <summary>A number from 0 to 1, 1 excluded.</summary>
    public float Uniform() => (Next() >> 40) * (1f / (1 << 24));

    /// <summary>A number whose distribution is nearly normal: mean 0, deviation 1, at most 3.46 from 0.</summary>
    public float Normal()
    {
        // The sum of twelve uniform numbers has variance 1 (Irwin-Hall); kept in integers until the last step.
        long sum = 0;
        for (int i = 0; i < 3; i++)
        {
            ulong bits = Next();
            sum += (long)(bits & 0xFFFF) + (long)((bits >> 16) & 0xFFFF) + (long)((bits >> 32) & 0xFFFF) + (long)(bits >> 48);
        }

        return (sum - (6 * 65535)) * (1f / 65536);
    }

    private ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15UL;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9UL;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EBUL;
        return z ^ (z >> 31);
    }
}
