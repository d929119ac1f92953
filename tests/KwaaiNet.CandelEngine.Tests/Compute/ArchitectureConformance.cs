using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Models;
using static KwaaiNet.CandelEngine.Tests.Compute.ComputeBackendConformance;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>What every backend promises for every architecture. A backend's own class derives from this and says how to make it.</summary>
[Trait("Category", "ComputeConformance")]
public abstract class ArchitectureConformance : IDisposable
{
    private IComputeBackend? _backend;

    public static TheoryData<string> Kinds => [.. SyntheticKind.All.Select(k => k.Name)];

    /// <summary>Positions that tests run to: past a window of 7.</summary>
    protected abstract int Positions { get; }

    private protected IComputeBackend Backend => _backend ??= CreateBackend();

    protected abstract IComputeBackend CreateBackend();

    public void Dispose()
    {
        _backend?.Dispose();
        GC.SuppressFinalize(this);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Logits_agree_with_a_forward_pass_in_double_precision(string kind)
    {
        using SyntheticModel model = new(SyntheticKind.Of(kind));
        using StackChain chain = new(model.File, Backend);
        int[] tokens = Tokens(Positions);

        float[][] logits = chain.Logits(tokens, tokens.Length, HiddenFormat.F32);

        // GELU rounds to 11 bits: where float32 and double lie on either side of a step, its result jumps by 2^-11.
        double tolerance = model.File.Shape.Activation == GateActivation.GeluTanh ? 2e-3 : 1e-4;
        double[][] expected = new ReferenceModel(model.File).Logits(tokens);
        Assert.InRange(logits.Zip(expected, (a, e) => a.Zip(e, (x, y) => Math.Abs(x - y)).Max()).Max(), 0, tolerance);
    }

    [Fact]
    public void Hidden_states_that_outgrow_binary16_cross_whole_and_are_never_cut_to_it()
    {
        using SyntheticModel model = new(SyntheticKind.Of("gemma2"));
        using StackChain chain = new(model.File, Backend);
        using KvCache cache = chain.First.CreateCache(1, 2);
        var input = new float[SyntheticModel.Width];
        input[3] = 1e7f;
        var output = new float[SyntheticModel.Width];
        BlockStep step = new() { Cache = cache, Rows = 1, Input = input, Output = output, Boundary = HiddenFormat.F32 };

        chain.First.Run([step]);
        Assert.InRange(output[3], 0.9e7f, 1.1e7f);
        Assert.All(output, v => Assert.True(float.IsFinite(v)));

        cache.Truncate(0);
        step.Boundary = HiddenFormat.F16;
        ArgumentException refused = Assert.ThrowsAny<ArgumentException>(() => chain.First.Run([step]));
        Assert.Contains("F32", refused.Message, StringComparison.Ordinal);
        Assert.Equal(0, cache.Length);
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Chunks_cuts_and_company_do_not_show(string kind)
    {
        using SyntheticModel model = new(SyntheticKind.Of(kind));
        HiddenFormat boundary = model.File.Shape.HiddenExceedsHalf ? HiddenFormat.F32 : HiddenFormat.F16;
        using StackChain chain = new(model.File, Backend);
        int[] tokens = Tokens(Positions);
        float[][] alone = chain.Logits(tokens, 1, boundary);

        AssertSameBits(alone, chain.Logits(tokens, 4, boundary));
        AssertSameBits(alone, chain.Logits(tokens, tokens.Length, boundary));
        using StackChain cut = new(model.File, Backend, 1, 3);
        AssertSameBits(alone, cut.Logits(tokens, 5, boundary));

        // Another session in the batch, and a replay after half the positions are forgotten.
        int half = Positions / 2;
        int[] others = Tokens(Positions, seed: 8);
        using KvCache mine = chain.First.CreateCache(0, SyntheticModel.Blocks);
        using KvCache other = chain.First.CreateCache(0, SyntheticModel.Blocks);
        chain.First.Run([Step(other, others[..3], boundary, out _), Step(mine, tokens, boundary, out _)]);
        mine.Truncate(half);
        chain.First.Run([Step(mine, tokens[half..], boundary, out float[] again), Step(other, others[3..], boundary, out _)]);
        AssertSameBits(alone[half..], [.. again.Chunk(SyntheticModel.Vocabulary)]);
    }
}
