using KwaaiNet.CandelEngine.Compute.Blocks;
using KwaaiNet.CandelEngine.Models;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>Which experts run, and with what weights.</summary>
public sealed class ExpertRouterTests
{
    [Fact]
    public void The_most_probable_run_in_order_of_their_numbers_and_weigh_one_together()
    {
        (int[] picks, float[] weights) = Pick([0.1f, 2f, -1f, 3f, 0.5f], used: 2);

        Assert.Equal([1, 3], picks);
        Assert.InRange(weights[0], 0.2689f, 0.2690f); // e²/(e² + e³)
        Assert.InRange(weights.Sum(), 0.999999f, 1.000001f);
    }

    [Fact]
    public void Without_normalisation_weights_are_the_probabilities_among_all()
    {
        (int[] picks, float[] weights) = Pick([0f, 0f, 0f, 0f], used: 3, normalize: false);

        Assert.Equal([0, 1, 2], picks);
        Assert.All(weights, w => Assert.InRange(w, 0.2499999f, 0.2500001f));
    }

    [Fact]
    public void Of_equals_the_lowest_number_runs() => Assert.Equal([1, 2], Pick([0f, 5f, 5f, 5f], used: 2).Picks);

    [Theory]
    [InlineData(float.NaN)]
    [InlineData(float.PositiveInfinity)]
    [InlineData(float.NegativeInfinity)]
    public void Logits_that_mean_nothing_still_pick_distinct_experts_that_exist(float nonsense)
    {
        foreach (float[] logits in new float[][] { [nonsense, nonsense, nonsense, nonsense], [nonsense, 1, 2, 3], [1, nonsense, 2, nonsense] })
        {
            int[] picks = Pick(logits, used: 3).Picks;
            Assert.Equal(picks.Order().Distinct(), picks);
            Assert.Equal(3, picks.Length);
            Assert.All(picks, p => Assert.InRange(p, 0, 3));
        }
    }

    private static (int[] Picks, float[] Weights) Pick(float[] logits, int used, bool normalize = true)
    {
        var picks = new int[used];
        var weights = new float[used];
        ExpertShape experts = new() { Count = logits.Length, Used = used, FeedForwardWidth = 8, NormalizeWeights = normalize };
        ExpertRouter.Pick(logits, experts, picks, weights);
        return (picks, weights);
    }
}
