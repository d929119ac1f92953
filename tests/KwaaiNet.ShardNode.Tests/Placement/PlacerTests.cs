using CsCheck;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Placement;

namespace KwaaiNet.ShardNode.Tests.Placement;

/// <summary>Whatever the interleaving, shards that start together cover the model. Failures print their seed.</summary>
public sealed class PlacerTests
{
    private const int MaxEvents = 200_000;

    private static readonly Gen<(int Seed, int Delay, int Load, int Spread)> s_interleavings =
        from seed in Gen.Int
        from delay in Gen.Int[0, 40]
        from load in Gen.Int[0, 60]
        from spread in Gen.Int[0, 120]
        select (seed, delay, load, spread);

    [Theory]
    [InlineData(3, 32, 3, null)]
    [InlineData(3, 10, 3, null)]
    [InlineData(5, 32, 5, null)]
    [InlineData(4, 16, null, 4)]
    [InlineData(2, 7, 2, null)]
    [InlineData(1, 7, null, null)]
    public void As_many_shards_as_expected_cover_a_model_exactly(int shards, int blocks, int? expected, int? most) =>
        s_interleavings.Sample(
            interleaving =>
            {
                Holding[] settled = Settle(shards, new PlacementRules(blocks, expected, most), interleaving);
                BlockRange[] ranges = [.. settled.Select(holding => holding.Range).Order()];
                return ranges.Sum(range => range.Count) == blocks
                    && ranges[0].First == 0
                    && ranges.Zip(ranges.Skip(1)).All(pair => pair.First.End == pair.Second.First);
            },
            iter: 3_000,
            threads: 1);

    [Theory]
    [InlineData(5, 32, 3, null)]
    [InlineData(4, 10, null, null)]
    [InlineData(6, 12, null, 4)]
    public void More_shards_than_needed_leave_no_block_out(int shards, int blocks, int? expected, int? most) =>
        s_interleavings.Sample(
            interleaving => !PlacementChoice.HasGap(
                new PlacementRules(blocks), Settle(shards, new PlacementRules(blocks, expected, most), interleaving)),
            iter: 2_000,
            threads: 1);

    [Theory]
    [InlineData(4, 10, 2)]
    [InlineData(6, 8, 3)]
    [InlineData(6, 7, 2)]
    public void Replicas_that_start_together_hold_every_part_equally_often(int shards, int blocks, int expected) =>
        s_interleavings.Sample(
            interleaving => Settle(shards, new PlacementRules(blocks, expected), interleaving)
                .GroupBy(holding => holding.Range).All(part => part.Count() == shards / expected),
            iter: 2_000,
            threads: 1);

    /// <summary>Rare interleavings in which two spare shards each took one that had settled for one that would still give way.</summary>
    [Theory]
    [InlineData(4, 10, 2, 687891551, 13, 3, 95)]
    [InlineData(4, 10, 2, 122528779, 7, 6, 115)]
    [InlineData(6, 8, 3, 1361873324, 18, 9, 117)]
    [InlineData(6, 8, 3, 383948319, 12, 2, 60)]
    [InlineData(6, 7, 2, -48, 4, 0, 110)]
    [InlineData(6, 7, 2, 1424857901, 29, 1, 59)]
    public void Replicas_do_not_wait_for_one_that_has_settled_to_give_way(int shards, int blocks, int expected, int seed, int delay, int load, int spread) =>
        Assert.All(
            Settle(shards, new PlacementRules(blocks, expected), (seed, delay, load, spread)).GroupBy(holding => holding.Range),
            part => Assert.Equal(shards / expected, part.Count()));

    [Fact]
    public void When_a_shard_dies_a_spare_one_takes_its_blocks() =>
        s_interleavings.Sample(
            interleaving =>
            {
                PlacementRules rules = new(12, 3);
                SimulatedBoard board = new(interleaving.Seed, interleaving.Delay);
                using CancellationTokenSource stop = new();
                List<Task> shards = Start(board, 5, rules, interleaving, keepWatching: stop.Token);
                // Spares watch for as long as the test lets them: run until everyone is ready, then let one die.
                RunUntil(board, () => board.Holdings.Count == 5 && board.Holdings.Values.All(holding => holding.IsReady));
                Holding dead = board.Holdings.Values
                    .GroupBy(holding => holding.Range).Where(group => group.Count() == 1).Select(group => group.Single()).First();
                board.Remove(dead.NodeId);
                RunUntil(board, () => !PlacementChoice.HasGap(rules, [.. board.Holdings.Values.Where(holding => holding.IsReady)]));
                return true;
            },
            iter: 300,
            threads: 1);

    private static void RunUntil(SimulatedBoard board, Func<bool> reached)
    {
        for (int i = 0; i < MaxEvents; i++)
        {
            if (reached()) return;

            board.Step();
        }

        throw new InvalidOperationException("The state was never reached.");
    }

    private static Holding[] Settle(int shards, PlacementRules rules, (int Seed, int Delay, int Load, int Spread) interleaving)
    {
        SimulatedBoard board = new(interleaving.Seed, interleaving.Delay);
        List<Task> running = Start(board, shards, rules, interleaving, keepWatching: null);
        board.Run(MaxEvents);
        Assert.All(running, shard => Assert.True(shard.IsCompletedSuccessfully, shard.Exception?.ToString()));
        Assert.All(board.Holdings.Values, holding => Assert.True(holding.IsReady));
        return [.. board.Holdings.Values];
    }

    private static List<Task> Start(
        SimulatedBoard board, int shards, PlacementRules rules, (int Seed, int Delay, int Load, int Spread) interleaving, CancellationToken? keepWatching)
    {
        List<Task> running = [];
        for (int i = 0; i < shards; i++) running.Add(LiveAsync(board, $"node-{i}", rules, interleaving, keepWatching));
        return running;
    }

    /// <summary>The life of a shard as ShardRuntime leads it, with a load that only takes time.</summary>
    private static async Task LiveAsync(
        SimulatedBoard board, string id, PlacementRules rules, (int Seed, int Delay, int Load, int Spread) interleaving, CancellationToken? keepWatching)
    {
        Placer placer = new(id, rules, board.For(id));
        await board.DelayAsync(interleaving.Spread).ConfigureAwait(false);
        while (true)
        {
            PlacementDecision decision = await placer.ClaimAsync(CancellationToken.None).ConfigureAwait(false);
            await board.DelayAsync(interleaving.Load).ConfigureAwait(false);
            if (!await placer.StillHoldsAsync(decision, CancellationToken.None).ConfigureAwait(false)) continue;

            Holding own = new(id, decision.Range, IsReady: true);
            await board.WriteAsync(own).ConfigureAwait(false);
            if (!await placer.ConfirmAsync(decision, CancellationToken.None).ConfigureAwait(false)) continue;
            if (keepWatching is null) return;

            await placer.WatchUntilNeededElsewhereAsync(() => own, 2, keepWatching.Value).ConfigureAwait(false);
        }
    }
}
