using CsCheck;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Sampling.Chain;

namespace KwaaiNet.CandelEngine.Tests.Sampling;

/// <summary>The whole chain: bias, penalties, temperature, filters, draw.</summary>
public sealed class SamplerChainTests
{
    private const int Generated = 4;

    private static readonly float[] s_logits = [1.5f, -0.5f, 0.25f, 3f, 2.5f, -1f, 0f, 2.9f, 2.9f, 1f, -0.25f, 0.75f];
    private static readonly int[] s_history = [3, 1, 6, 4, 7, 3, 3, 9];

    /// <summary>Parameter sets by name; each but the first has one stage more, the last ones many.</summary>
    private static readonly Dictionary<string, SamplingParameters> s_sets = new()
    {
        ["plain"] = new(),
        ["cold"] = new() { Temperature = 0.6f },
        ["typical"] = new() { TypicalP = 0.7f },
        ["top-k"] = new() { TopK = 5 },
        ["top-p"] = new() { TopP = 0.8f },
        ["min-p"] = new() { MinP = 0.2f },
        ["repetition"] = new() { RepetitionPenalty = 1.4f },
        ["repetition of the last two"] = new() { RepetitionPenalty = 1.4f, RepeatLastN = 2 },
        ["presence"] = new() { PresencePenalty = 0.9f },
        ["frequency"] = new() { FrequencyPenalty = 0.7f },
        ["rewards"] = new() { FrequencyPenalty = -0.3f, PresencePenalty = -0.2f, RepetitionPenalty = 0.8f },
        ["bias"] = new() { LogitBias = [new(5, 4), new(3, -2)] },
        ["filters"] = new() { Temperature = 1.7f, TopK = 9, TypicalP = 0.95f, TopP = 0.9f, MinP = 0.05f },
        ["everything"] = new()
        {
            Temperature = 1.3f,
            TopK = 10,
            TypicalP = 0.97f,
            TopP = 0.95f,
            MinP = 0.08f,
            RepetitionPenalty = 1.2f,
            RepeatLastN = 6,
            PresencePenalty = 0.3f,
            FrequencyPenalty = 0.25f,
            LogitBias = [new(2, 1.5f), new(8, -1)],
        },
    };

    public static TheoryData<string> Sets => [.. s_sets.Keys];

    [Theory]
    [MemberData(nameof(Sets))]
    public void Draws_follow_the_distribution(string set)
    {
        const int Draws = 100_000;
        const ulong Seed = 20_261_122;
        SamplingParameters parameters = s_sets[set] with { Seed = Seed };
        double[] expected = SamplerOracle.Distribution(s_logits, parameters, s_history, Generated);
        int[] counts = new int[s_logits.Length];
        Sampler sampler = new();
        float[] logits = new float[s_logits.Length];
        for (int position = 0; position < Draws; position++)
        {
            s_logits.CopyTo(logits, 0);
            counts[sampler.Sample(logits, parameters, position, new TokenHistory(s_history, Generated))]++;
        }

        double chiSquare = 0;
        int freedom = -1;
        for (int id = 0; id < counts.Length; id++)
        {
            if (expected[id] == 0)
            {
                Assert.Equal(0, counts[id]);
                continue;
            }

            chiSquare += Math.Pow(counts[id] - (Draws * expected[id]), 2) / (Draws * expected[id]);
            freedom++;
        }

        Assert.True(freedom > 0, "Nothing was left to choose from.");
        // With 11 degrees of freedom chi-square is above 37.4 once in 10,000 runs, with fewer less often; the seed is fixed.
        Assert.True(chiSquare < 37.4, $"seed {Seed}: chi-square {chiSquare} with {freedom} degrees of freedom");
    }

    [Fact]
    public void A_seeded_run_is_the_same_in_every_process_and_on_every_machine()
    {
        // Written down by another process: a run here is compared with it. The answer grows, so penalties see their own draws.
        SamplingParameters parameters = s_sets["everything"] with { Seed = 77 };
        List<int> tokens = [.. s_history];
        Sampler sampler = new();
        while (tokens.Count < s_history.Length + 24)
        {
            int generated = Generated + tokens.Count - s_history.Length;
            tokens.Add(sampler.Sample([.. s_logits], parameters, tokens.Count - 1, new TokenHistory(tokens.ToArray(), generated)));
        }

        Assert.Equal("0 11 4 2 8 7 4 2 11 3 2 4 7 7 4 3 8 3 9 9 3 7 11 4", string.Join(' ', tokens.Skip(s_history.Length)));
    }

    [Fact]
    public void The_chain_is_a_plain_computations_whatever_the_numbers()
    {
        // CsCheck prints the seed of a failure. Few different logits, so that ties are everywhere.
        Gen<float> logit = Gen.OneOf(
            Gen.Float[-20, 20], Gen.Int[-3, 3].Select(i => (float)i), Gen.OneOf(Gen.Const(-0f), Gen.Const(float.NaN), Gen.Const(float.NegativeInfinity), Gen.Const(5f)));
        Gen<float> share = Gen.OneOf(Gen.Const(1f), Gen.Float[0.01f, 1], Gen.Int[1, 3].Select(i => i / 4f));
        Gen<SamplingParameters> parameters = Gen.Select(
            Gen.Select(Gen.OneOf(Gen.Const(0f), Gen.Float[0.05f, 3]), Gen.Int[0, 70], share, share, Gen.OneOf(Gen.Const(0f), share)),
            Gen.Select(Gen.OneOf(Gen.Const(1f), Gen.Float[0.5f, 2]), Gen.Int[-1, 30], Gen.Float[-2, 2], Gen.Float[-2, 2]),
            Gen.Select(Gen.Int[0, 39], Gen.Float[-100, 100]).Array[0, 4],
            Gen.ULong).Select((filters, penalties, biases, seed) => new SamplingParameters
            {
                Temperature = filters.Item1,
                TopK = filters.Item2,
                TypicalP = filters.Item3,
                TopP = filters.Item4,
                MinP = filters.Item5,
                RepetitionPenalty = penalties.Item1,
                RepeatLastN = penalties.Item2,
                PresencePenalty = penalties.Item3,
                FrequencyPenalty = penalties.Item4,
                LogitBias = [.. biases.DistinctBy(bias => bias.Item1).Select(bias => new LogitBias(bias.Item1, bias.Item2))],
                Seed = seed,
            });
        Gen.Select(logit.Array[40, 60], parameters, Gen.Int[0, 39].Array[0, 50], Gen.Int[0, 50]).Sample(
            (logits, wanted, history, answer) =>
            {
                int generated = Math.Min(answer, history.Length);
                if (SamplerOracle.Shape(logits, wanted, history, generated).All(shaped => !(shaped > double.NegativeInfinity)))
                    return;
                double[] wide = SamplerOracle.Distribution(logits, wanted, history, generated, slack: 1e-6);
                double[] narrow = SamplerOracle.Distribution(logits, wanted, history, generated, slack: -1e-6);
                // One each: cases run side by side.
                Sampler sampler = new();
                HashSet<int> drawn = [];
                for (int position = 0; position < 40; position++)
                {
                    int id = sampler.Sample([.. logits], wanted, position, new TokenHistory(history, generated));
                    Assert.True(wide[id] > 0, $"{id} was drawn and has probability 0");
                    drawn.Add(id);
                }

                // What is more likely than nine in ten is missed in 40 draws once in 10^40 runs.
                for (int id = 0; id < logits.Length; id++)
                    Assert.True(narrow[id] < 0.9 || wide[id] < 0.9 || drawn.Contains(id), $"{id} has probability {narrow[id]} and was never drawn");
            },
            iter: 2000);
    }

    [Fact]
    public void Each_stage_keeps_exactly_what_a_plain_computation_keeps()
    {
        // Equal or well apart: between the two, a token's surprise is as near to the entropy as another's but for rounding.
        Gen<float> logit = Gen.Int[-200, 200].Select(i => i / 32f);
        Gen<SamplingParameters> one = Gen.OneOf(
            Gen.Int[2, 30].Select(k => new SamplingParameters { TopK = k }),
            Gen.Float[0.05f, 0.99f].Select(p => new SamplingParameters { TypicalP = p }),
            Gen.Float[0, 0.99f].Select(p => new SamplingParameters { TopP = p }),
            Gen.Float[0.01f, 1].Select(p => new SamplingParameters { MinP = p }));
        Gen.Select(logit.Array[2, 40], one, Gen.Float[0.2f, 3]).Sample(
            (logits, stage, temperature) =>
            {
                SamplingParameters parameters = stage with { Temperature = temperature };
                HashSet<int> kept = Kept(logits, parameters);
                double[] wide = SamplerOracle.Distribution(logits, parameters, [], 0, slack: 1e-9);
                double[] narrow = SamplerOracle.Distribution(logits, parameters, [], 0, slack: -1e-9);
                for (int id = 0; id < logits.Length; id++)
                {
                    Assert.False(kept.Contains(id) && wide[id] == 0, $"{id} is kept");
                    Assert.False(!kept.Contains(id) && narrow[id] > 0, $"{id} is not kept");
                }
            },
            iter: 5000);
    }

    [Fact]
    public void Temperature_0_takes_the_best_of_the_shaped_logits_and_no_filter_takes_it_away()
    {
        Sampler sampler = new();
        SamplingParameters greedy = SamplingParameters.Greedy with { TypicalP = 0.1f, TopP = 0.01f, MinP = 1, TopK = 3, Seed = 5 };
        Assert.Equal(3, sampler.Sample([.. s_logits], greedy, 0));
        Assert.Equal(7, sampler.Sample([.. s_logits], greedy with { LogitBias = [new(3, -100)] }, 0));
        Assert.Equal(5, sampler.Sample([.. s_logits], greedy with { LogitBias = [new(5, 100)] }, 0));
        // 3 stands in the answer three times, 7 in the prompt: only the repetition penalty sees that.
        int[] history = [7, 3, 3, 3];
        Assert.Equal(7, sampler.Sample([.. s_logits], greedy with { FrequencyPenalty = 0.1f }, 0, new TokenHistory(history, 3)));
        Assert.Equal(7, sampler.Sample([.. s_logits], greedy with { PresencePenalty = 0.2f }, 0, new TokenHistory(history, 3)));
        Assert.Equal(8, sampler.Sample([.. s_logits], greedy with { RepetitionPenalty = 1.2f }, 0, new TokenHistory(history, 3)));
        Assert.Equal(7, sampler.Sample([.. s_logits], greedy with { RepetitionPenalty = 1.2f, RepeatLastN = 3 }, 0, new TokenHistory(history, 3)));
        Assert.Equal(3, sampler.Sample([.. s_logits], greedy with { RepetitionPenalty = 1.2f, RepeatLastN = 0 }, 0, new TokenHistory(history, 3)));
    }

    [Fact]
    public void Nothing_is_allocated_once_warm()
    {
        Sampler sampler = new();
        TokenLogprobs logprobs = new();
        float[] logits = new float[4096];
        SamplingParameters[] all = [.. s_sets.Values.Select(parameters => parameters with { TopLogprobs = 20 })];
        long allocated = 0;
        for (int round = 0; round < 3; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            foreach (SamplingParameters parameters in all)
            {
                for (int id = 0; id < logits.Length; id++)
                    logits[id] = id * 37 % 101 / 10f;
                sampler.Sample(logits, parameters, round, new TokenHistory(s_history, Generated), logprobs);
            }

            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
    }

    [Theory]
    [InlineData("Temperature", -1f)]
    [InlineData("Temperature", float.PositiveInfinity)]
    [InlineData("TopK", -1f)]
    [InlineData("TypicalP", 0f)]
    [InlineData("TypicalP", 1.1f)]
    [InlineData("TopP", -0.1f)]
    [InlineData("TopP", float.NaN)]
    [InlineData("MinP", 1.1f)]
    [InlineData("RepetitionPenalty", 0f)]
    [InlineData("RepetitionPenalty", float.NaN)]
    [InlineData("RepeatLastN", -2f)]
    [InlineData("PresencePenalty", float.PositiveInfinity)]
    [InlineData("FrequencyPenalty", float.NaN)]
    [InlineData("LogitBias", float.NaN)]
    [InlineData("TopLogprobs", 21f)]
    public void A_parameter_that_cannot_be_is_refused_by_name(string name, float value)
    {
        SamplingParameters parameters = name switch
        {
            "Temperature" => new() { Temperature = value },
            "TopK" => new() { TopK = (int)value },
            "TypicalP" => new() { TypicalP = value },
            "TopP" => new() { TopP = value },
            "MinP" => new() { MinP = value },
            "RepetitionPenalty" => new() { RepetitionPenalty = value },
            "RepeatLastN" => new() { RepeatLastN = (int)value },
            "PresencePenalty" => new() { PresencePenalty = value },
            "FrequencyPenalty" => new() { FrequencyPenalty = value },
            "LogitBias" => new() { LogitBias = [new(0, value)] },
            _ => new() { TopLogprobs = (int)value },
        };
        ArgumentOutOfRangeException refusal = Assert.Throws<ArgumentOutOfRangeException>(() => new Sampler().Sample([1], parameters, 0));
        Assert.Equal(name, refusal.ParamName);
    }

    [Fact]
    public void A_history_of_tokens_that_are_not_there_is_refused() =>
        Assert.Throws<ArgumentException>(() => new Sampler().Sample([1, 2], new SamplingParameters { PresencePenalty = 1 }, 0, new TokenHistory([2], 1)));

    // Every token that some draw gives: candidates are few, and draws are cheap.
    private static HashSet<int> Kept(float[] logits, SamplingParameters parameters)
    {
        Candidates candidates = new();
        candidates.Take(logits, logits.Max(), parameters.TopK, parameters.Temperature);
        new CandelEngine.Sampling.Stages.Typical().Apply(candidates, parameters);
        new CandelEngine.Sampling.Stages.TopP().Apply(candidates, parameters);
        new CandelEngine.Sampling.Stages.MinP().Apply(candidates, parameters);
        HashSet<int> kept = [];
        foreach (ulong key in candidates.Keys)
            kept.Add(BestTokens.IdOf(key));
        return kept;
    }
}
