using CsCheck;
using KwaaiNet.Protocol.Blocks;

namespace KwaaiNet.Protocol.Tests;

public sealed class BlockRangeTests
{
    [Fact]
    public void Split_covers_every_block_once_and_evenly() =>
        Gen.Select(Gen.Int[1, 4096], Gen.Int[1, 64]).Where((blocks, parts) => parts <= blocks).Sample((blocks, parts) =>
        {
            BlockRange[] ranges = BlockRange.Split(blocks, parts);
            Assert.Equal(parts, ranges.Length);
            Assert.Equal(0, ranges[0].First);
            Assert.Equal(blocks, ranges[^1].End);
            for (int i = 1; i < ranges.Length; i++)
                Assert.Equal(ranges[i - 1].End, ranges[i].First);
            Assert.True(ranges.Max(range => range.Count) - ranges.Min(range => range.Count) <= 1);
        });

    [Fact]
    public void Text_survives_a_round_trip() =>
        Gen.Select(Gen.Int[0, 5000], Gen.Int[1, 5000]).Sample((first, count) =>
        {
            BlockRange range = new(first, first + count);
            Assert.True(BlockRange.TryParse(range.ToString(), out BlockRange read));
            Assert.Equal(range, read);
        });

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("-")]
    [InlineData("3-")]
    [InlineData("-3")]
    [InlineData("4-3")]
    [InlineData("1-2-3")]
    [InlineData("0-2147483647")]
    [InlineData("a-b")]
    public void What_is_no_range_is_not_read(string? text) => Assert.False(BlockRange.TryParse(text, out _));

    [Fact]
    public void Containing_and_overlapping_are_about_blocks()
    {
        BlockRange range = new(2, 6);
        Assert.True(range.Contains(new BlockRange(2, 6)));
        Assert.False(range.Contains(new BlockRange(2, 7)));
        Assert.True(range.Overlaps(new BlockRange(5, 9)));
        Assert.False(range.Overlaps(new BlockRange(6, 9)));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockRange(3, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => new BlockRange(-1, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => BlockRange.Split(3, 4));
    }
}
