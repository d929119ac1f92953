namespace KwaaiNet.CandelEngine.Sampling;

/// <summary>Philox4x32-10: a random number for every pair of key and counter, with no state between calls.</summary>
/// <remarks>
/// Salmon, Moraes, Dror, Shaw: "Parallel Random Numbers: As Easy as 1, 2, 3", SC11. Integer arithmetic only, so the same on every machine.
/// </remarks>
internal static class Philox
{
    private const int Rounds = 10;

    /// <summary>The uniform number in [0, 1), a multiple of 2^-53, that seed, position and token determine.</summary>
    public static double Uniform(ulong seed, int position, int token)
    {
        (uint x0, uint x1, _, _) = Block((uint)position, (uint)token, 0, 0, (uint)seed, (uint)(seed >> 32));
        return ((((ulong)x1 << 32) | x0) >> 11) * (1.0 / (1UL << 53));
    }

    /// <summary>One block: 128 bits of counter under 64 bits of key.</summary>
    public static (uint X0, uint X1, uint X2, uint X3) Block(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1)
    {
        for (int round = 0; round < Rounds; round++)
        {
            ulong product0 = 0xD2511F53UL * c0;
            ulong product1 = 0xCD9E8D57UL * c2;
            (c0, c1, c2, c3) = ((uint)(product1 >> 32) ^ c1 ^ k0, (uint)product1, (uint)(product0 >> 32) ^ c3 ^ k1, (uint)product0);
            k0 = unchecked(k0 + 0x9E3779B9);
            k1 = unchecked(k1 + 0xBB67AE85);
        }

        return (c0, c1, c2, c3);
    }
}
