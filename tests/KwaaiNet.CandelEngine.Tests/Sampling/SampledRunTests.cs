using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Sampling.Chain;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.CandelEngine.Tests.Compute;

namespace KwaaiNet.CandelEngine.Tests.Sampling;

/// <summary>Seeded answers of a whole model on both backends.</summary>
/// <remarks>
/// The sampler is one and the same code behind every backend. The logits before it are not: each backend adds up a row's products in an
/// order of its own (promised to be the same for every batch and cut, but not for every backend), so they differ in their last bits. A draw
/// differs only when two tokens come in nearly together in its race. Hidden states rounded to f16 at each block make the last bits many more: a
/// number that lies near the middle of two f16 numbers goes down on one backend and up on the other.
/// </remarks>
public sealed class SampledRunTests(ITestOutputHelper output)
{
    private const int Tokens = 20;

    private static readonly SamplingParameters s_parameters = new()
    {
        Temperature = 0.9f,
        TopK = 40,
        TypicalP = 0.99f,
        TopP = 0.95f,
        MinP = 0.01f,
        RepetitionPenalty = 1.1f,
        PresencePenalty = 0.2f,
        FrequencyPenalty = 0.1f,
    };

    [Theory]
    [InlineData(11ul)]
    [InlineData(12ul)]
    [InlineData(13ul)]
    public void A_seeded_answer_is_the_same_on_both_backends(ulong seed)
    {
        using SyntheticModel model = new(GgmlType.F32);
        (int[] onCpu, float[][] cpuLogits) = Run(model, "cpu", seed);
        (int[] onDevice, float[][] deviceLogits) = Run(model, "ilgpu", seed);
        int equal = cpuLogits.Zip(deviceLogits).Count(pair => pair.First.SequenceEqual(pair.Second));
        output.WriteLine($"{equal} of {Tokens} rows of logits have the same bits");

        Assert.Equal(onCpu, onDevice);
        Assert.True(onCpu.Distinct().Count() > 3, "One and the same token shows nothing.");
    }

    [Fact]
    public void The_same_logits_give_the_same_tokens_and_log_probabilities_to_the_last_bit()
    {
        using SyntheticModel model = new(GgmlType.F32);
        (int[] tokens, float[][] logits) = Run(model, "ilgpu", seed: 11);
        Sampler fresh = new();
        TokenLogprobs logprobs = new();
        List<int> known = [1, 17, 4];
        List<float> drawn = [];
        foreach (float[] row in logits)
        {
            known.Add(fresh.Sample([.. row], s_parameters with { Seed = 11, TopLogprobs = 5 }, known.Count - 1, new TokenHistory(known.ToArray(), known.Count - 3), logprobs));
            drawn.Add(logprobs.Drawn.Logprob);
            Assert.Equal(5, logprobs.Top.Length);
        }

        Assert.Equal(tokens, known[3..]);
        Assert.All(drawn, logprob => Assert.InRange(logprob, -20, 0));
    }

    private static (int[] Tokens, float[][] Logits) Run(SyntheticModel model, string backend, ulong seed)
    {
        using IComputeBackend compute = ComputeBackends.Create(
            backend, new ComputeOptions { Ilgpu = new CandelEngine.Compute.Ilgpu.IlgpuOptions { ForceCpuAccelerator = true } });
        using StackChain chain = new(model.File, compute);
        using StackChain.Session session = chain.Open(3 + Tokens);
        Sampler sampler = new();
        SamplingParameters parameters = s_parameters with { Seed = seed };
        List<int> known = [1, 17, 4];
        List<float[]> rows = [];
        float[] logits = session.Run([.. known])[^1];
        while (true)
        {
            rows.Add([.. logits]);
            known.Add(sampler.Sample(logits, parameters, known.Count - 1, new TokenHistory(known.ToArray(), known.Count - 3)));
            if (rows.Count == Tokens)
                return ([.. known[3..]], [.. rows]);
            logits = session.Run([known[^1]])[^1];
        }
    }
}
