using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Placement;

namespace KwaaiNet.ShardNode.Tests.Placement;

public sealed class PlacementChoiceTests
{
    [Theory]
    [InlineData(10, 3, null, "", "0-3", false)]
    [InlineData(10, 3, null, "0-3", "4-6", false)]
    [InlineData(10, 3, null, "4-6 7-9", "0-3", false)]
    [InlineData(10, 3, null, "0-1", "2-3", false)] // what is left of the first part
    [InlineData(10, 3, 2, "0-3", "4-5", false)]
    [InlineData(2, 5, null, "", "0", false)] // more shards than blocks
    [InlineData(10, 3, null, "0-3 4-6 7-9", "0-3", true)]
    [InlineData(10, 3, null, "0-3 4-6 7-9 0-3", "4-6", true)]
    [InlineData(10, 3, null, "0-9 0-3", "4-6", true)]
    [InlineData(10, null, null, "", "0-9", false)]
    [InlineData(10, null, 4, "", "0-3", false)]
    [InlineData(10, null, 4, "0-3", "4-7", false)]
    [InlineData(10, null, 4, "3-4", "5-8", false)] // the longest gap
    [InlineData(10, null, null, "3-4", "5-9", false)]
    [InlineData(10, null, null, "0-9", "0-9", true)]
    [InlineData(10, null, 4, "0-9 0-5", "6-9", true)]
    public void Chooses_what_is_missing_and_otherwise_what_is_scarce(
        int blocks, int? shards, int? most, string held, string expected, bool redundant)
    {
        Holding[] others = [.. held.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((text, i) => Ready($"n{i}", text))];
        PlacementDecision decision = PlacementChoice.Choose(new PlacementRules(blocks, shards, most), others);
        Assert.Equal((Range(expected), redundant), (decision.Range, decision.IsRedundant));
    }

    // A block takes 100, and block 0 brings an embedding of 250.
    [Theory]
    [InlineData(1000, null, "", "0-6", false)] // as much of the gap as there is room for
    [InlineData(350, null, "", "0", false)]
    [InlineData(300, null, "", "1-3", false)] // block 0 finds no room: what comes after it
    [InlineData(10_000, null, "", "0-9", false)]
    [InlineData(300, 2, "", "1-3", false)]
    [InlineData(300, 2, "1-4", "5-7", false)] // the first part's gap is block 0 alone
    [InlineData(300, null, "0-9", "1-3", true)]
    [InlineData(100, 3, "1-9", "1", true)] // what is missing has no room, so what is scarce is doubled
    public void Takes_no_more_than_the_device_has_room_for(int bytes, int? shards, string held, string expected, bool redundant)
    {
        Holding[] others = [.. held.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select((text, i) => Ready($"n{i}", text))];
        PlacementRules rules = new(10, shards, Fits: range => (100 * range.Count) + (range.First == 0 ? 250 : 0) <= bytes);
        PlacementDecision decision = PlacementChoice.Choose(rules, others);
        Assert.Equal((Range(expected), redundant), (decision.Range, decision.IsRedundant));
    }

    [Fact]
    public void A_device_without_room_for_one_block_is_an_error() =>
        Assert.Throws<InsufficientMemoryException>(() => PlacementChoice.Choose(new PlacementRules(10, Fits: _ => false), []));

    [Theory]
    [InlineData("b", "a", false, true)]
    [InlineData("a", "b", false, false)]
    [InlineData("a", "b", true, true)]
    public void A_claim_gives_way_to_the_ready_and_to_the_smaller_id(string own, string other, bool ready, bool loses)
    {
        PlacementDecision decision = new(new BlockRange(0, 4), IsRedundant: false);
        Assert.Equal(loses, PlacementConflict.LosesClaim(own, decision, [new Holding(other, new BlockRange(3, 6), ready)]));
        Assert.False(PlacementConflict.LosesClaim(own, decision, [new Holding(other, new BlockRange(4, 6), ready)]));
        Assert.False(PlacementConflict.LosesClaim(own, decision with { IsRedundant = true }, [new Holding(other, new BlockRange(3, 6), ready)]));
    }

    [Fact]
    public void A_shard_moves_only_when_it_is_not_missed_and_something_is_missing()
    {
        PlacementRules rules = new(6, 3);
        Holding own = Ready("b", "0-1");
        Assert.True(PlacementConflict.ShouldMove("b", own, rules, [Ready("a", "0-1"), Ready("c", "2-3")]));
        Assert.False(PlacementConflict.ShouldMove("b", own, rules, [Ready("a", "0-1"), Ready("c", "2-5")])); // nothing is missing
        Assert.False(PlacementConflict.ShouldMove("b", own, rules, [Ready("c", "2-3")])); // it is the only one
        Assert.False(PlacementConflict.ShouldMove("b", own, rules, [Ready("c", "0-1")])); // the other one goes
        Assert.True(PlacementConflict.ShouldMove("b", own, rules, [Ready("c", "0-1") with { Sessions = 1 }])); // the other one cannot go
        Assert.False(PlacementConflict.ShouldMove("b", own with { Sessions = 1 }, rules, [Ready("a", "0-1")]));
        Assert.False(PlacementConflict.ShouldMove("b", own, rules, [Ready("a", "0-1") with { IsReady = false }]));
    }

    private static Holding Ready(string id, string range) => new(id, Range(range), IsReady: true);

    private static BlockRange Range(string text) => BlockRange.TryParse(text, out BlockRange range) ? range : throw new ArgumentException(text);
}
