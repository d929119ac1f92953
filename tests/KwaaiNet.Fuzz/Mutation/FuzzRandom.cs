namespace KwaaiNet.Fuzz.Mutation;

/// <summary>Random numbers that are the same in every version of .NET, so that a seed means the same inputs for good.</summary>
/// <remarks>Source: SplitMix64, Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.</remarks>
internal sealed class FuzzRandom(ulong seed)
{
    private ulong _state = seed;

    /// <summary>64 random bits.</summary>
    public ulong Next()
    {
        ulong z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>An integer from 0 to <paramref name="bound"/> − 1; 0 when the bound is 0.</summary>
    public int Below(int bound) => bound <= 1 ? 0 : (int)(Next() % (ulong)bound);

    /// <summary>An integer from 1 on, small ones far likelier: each further bit half as likely.</summary>
    public int Small(int bits) => 1 + Below(1 << (1 + Below(bits)));

    /// <summary>True once in <paramref name="times"/> calls on average.</summary>
    public bool OneIn(int times) => Below(times) == 0;

    /// <summary>One of several.</summary>
    public T Pick<T>(IReadOnlyList<T> choices) => choices[Below(choices.Count)];
}
