using KwaaiNet.CandelEngine.Sampling;

namespace KwaaiNet.CandelEngine.Tests.Sampling;

public sealed class PhiloxTests
{
    // The known answers that the algorithm's authors publish with it (Random123, kat_vectors).
    [Theory]
    [InlineData(0x00000000u, 0x00000000u, 0x00000000u, 0x00000000u, 0x00000000u, 0x00000000u, 0x6627e8d5u, 0xe169c58du, 0xbc57ac4cu, 0x9b00dbd8u)]
    [InlineData(0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0x408f276du, 0x41c83b0eu, 0xa20bc7c6u, 0x6d5451fdu)]
    [InlineData(0x243f6a88u, 0x85a308d3u, 0x13198a2eu, 0x03707344u, 0xa4093822u, 0x299f31d0u, 0xd16cfe09u, 0x94fdccebu, 0x5001e420u, 0x24126ea1u)]
    public void Blocks_are_the_authors(uint c0, uint c1, uint c2, uint c3, uint k0, uint k1, uint x0, uint x1, uint x2, uint x3) =>
        Assert.Equal((x0, x1, x2, x3), Philox.Block(c0, c1, c2, c3, k0, k1));

    [Fact]
    public void The_exponential_is_within_two_units_of_the_last_place()
    {
        for (double x = -700; x <= 0; x += 0.01371)
        {
            double expected = Math.Exp(x);
            Assert.True(Math.Abs(PortableExponential.Exp(x) - expected) <= 2 * Math.BitIncrement(expected) - (2 * expected), $"e^{x}");
        }

        Assert.Equal(1, PortableExponential.Exp(0));
        // Several at a time give the same bits as one.
        double[] values = [0, -0.0, double.NegativeInfinity, -700, -700.0001, .. Enumerable.Range(1, 5000).Select(i => -i * 0.1403)];
        double[] together = [.. values];
        PortableExponential.Exp(together.AsSpan());
        Assert.Equal(values.Select(x => BitConverter.DoubleToInt64Bits(PortableExponential.Exp(x))), together.Select(BitConverter.DoubleToInt64Bits));
        Assert.Equal(0, PortableExponential.Exp(double.NegativeInfinity));
    }
}
