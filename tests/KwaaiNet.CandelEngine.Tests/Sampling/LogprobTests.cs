using CsCheck;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Sampling.Chain;

namespace KwaaiNet.CandelEngine.Tests.Sampling;

public sealed class LogprobTests
{
    [Fact]
    public void They_are_the_log_softmax_of_the_models_own_logits_whatever_is_done_to_them()
    {
        Gen<float> logit = Gen.OneOf(Gen.Float[-20, 20], Gen.Int[-3, 3].Select(i => (float)i), Gen.OneOf(Gen.Const(float.NaN), Gen.Const(float.NegativeInfinity)));
        Gen.Select(logit.Array[1, 60], Gen.Int[0, 20], Gen.Float[0, 3]).Sample(
            (logits, count, temperature) =>
            {
                int[] order = [.. Enumerable.Range(0, logits.Length).Where(id => logits[id] > float.NegativeInfinity).OrderByDescending(id => logits[id]).ThenBy(id => id)];
                if (order.Length == 0)
                    return;
                // One each: cases run side by side.
                Sampler sampler = new();
                TokenLogprobs logprobs = new();
                SamplingParameters parameters = new()
                {
                    Temperature = temperature,
                    TopP = 0.9f,
                    PresencePenalty = 1,
                    RepetitionPenalty = 1.3f,
                    LogitBias = [new(0, 7)],
                    TopLogprobs = count,
                };
                int drawn = sampler.Sample([.. logits], parameters, 3, new TokenHistory([0], 1), logprobs);
                double total = order.Sum(id => Math.Exp((double)logits[id] - logits[order[0]]));
                double Expected(int id) => (double)logits[id] - logits[order[0]] - Math.Log(total);

                Assert.Equal(drawn, logprobs.Drawn.Token);
                Assert.Equal(Expected(drawn), logprobs.Drawn.Logprob, 1e-5);
                Assert.Equal(order.Take(count), logprobs.Top.ToArray().Select(token => token.Token));
                Assert.All(logprobs.Top.ToArray(), token => Assert.Equal(Expected(token.Token), token.Logprob, 1e-5));
                Assert.All(logprobs.Top.ToArray(), token => Assert.InRange(token.Logprob, TokenLogprobs.Floor, 0));
            },
            iter: 2000);
    }

    [Fact]
    public void What_is_as_good_as_impossible_has_the_floor()
    {
        TokenLogprobs logprobs = new();
        Assert.Equal(0, new Sampler().Sample([float.PositiveInfinity, 0, float.PositiveInfinity], SamplingParameters.Greedy with { TopLogprobs = 3 }, 0, default, logprobs));
        Assert.Equal(new TokenLogprob(2, -0.6931472f), logprobs.Top[1]);
        Assert.Equal(TokenLogprobs.Floor, logprobs.Top[2].Logprob);
        // The bias forces a token that the model holds for as good as impossible.
        SamplingParameters forced = new() { LogitBias = [new(1, 100)], TopLogprobs = 3, TopK = 1 };
        Assert.Equal(1, new Sampler().Sample([50, -40, 49], forced, 0, default, logprobs));
        Assert.Equal(-90.3133, logprobs.Drawn.Logprob, 1e-3);
        Assert.Equal(1, new Sampler().Sample([20_000, 19_990, 0], forced, 0, default, logprobs));
        Assert.Equal(TokenLogprobs.Floor, logprobs.Top[2].Logprob);
    }

    [Fact]
    public void None_are_computed_unless_asked_for()
    {
        TokenLogprobs logprobs = new();
        new Sampler().Sample([1, 2], new SamplingParameters(), 0, default, logprobs);
        Assert.Equal(default, logprobs.Drawn);
        Assert.Equal(0, logprobs.Top.Length);
    }

    [Fact]
    public void The_logarithm_is_within_two_units_of_the_last_place()
    {
        Gen.Double[1e-300, 1e300].Sample(x => Math.Abs(PortableLogarithm.Log(x) - Math.Log(x)) <= 2 * Unit(Math.Log(x)), iter: 20_000);
        // Near 1 the result is small and its last place smaller still.
        Gen.Double[0.5, 2].Sample(x => Math.Abs(PortableLogarithm.Log(x) - Math.Log(x)) <= 2 * Unit(Math.Log(x)), iter: 20_000);
        Assert.Equal(0, PortableLogarithm.Log(1));
        Assert.Equal(double.NegativeInfinity, PortableLogarithm.Log(0));
        // The same bits on every machine, hence written down.
        Assert.Equal("3fe62e42fefa39ef 40026bb1bbb55516 bff34378fcbda721 40277281cad8a844", string.Join(' ', new[] { 2, 10, 0.3, 123456.789 }.Select(x => BitConverter.DoubleToInt64Bits(PortableLogarithm.Log(x)).ToString("x16", System.Globalization.CultureInfo.InvariantCulture))));
    }

    private static double Unit(double x) => Math.BitIncrement(Math.Abs(x)) - Math.Abs(x);
}
