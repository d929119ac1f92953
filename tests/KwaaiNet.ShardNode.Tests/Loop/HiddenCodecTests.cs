using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.ShardNode.Steps;

namespace KwaaiNet.ShardNode.Tests.Loop;

public sealed class HiddenCodecTests
{
    [Theory]
    [InlineData(HiddenFormat.F16)]
    [InlineData(HiddenFormat.F32)]
    public void What_is_rounded_already_crosses_bit_for_bit(HiddenFormat format)
    {
        float[] numbers = [0f, -0f, 1f, -2.5f, 65504f, -65504f, 5.9604645e-8f, 0.333251953125f, 1023.5f];
        byte[] wire = new byte[numbers.Length * HiddenCodec.BytesPerNumber(format)];
        HiddenCodec.Encode(numbers, format, wire);
        Assert.True(HiddenCodec.IsFinite(wire, format));
        float[] back = new float[numbers.Length];
        HiddenCodec.Decode(wire, format, back);
        Assert.Equal(numbers.Select(BitConverter.SingleToInt32Bits), back.Select(BitConverter.SingleToInt32Bits));
    }

    [Fact]
    public void The_wire_is_little_endian()
    {
        byte[] wire = new byte[2];
        HiddenCodec.Encode([1f], HiddenFormat.F16, wire);
        Assert.Equal([0x00, 0x3C], wire);
    }

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void What_is_not_a_number_is_seen(float bad)
    {
        foreach (HiddenFormat format in Enum.GetValues<HiddenFormat>())
        {
            byte[] wire = new byte[40 * HiddenCodec.BytesPerNumber(format)];
            float[] numbers = new float[40];
            numbers[37] = bad;
            HiddenCodec.Encode(numbers, format, wire);
            Assert.False(HiddenCodec.IsFinite(wire, format));
        }
    }
}
