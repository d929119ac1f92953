using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Compute.Ilgpu;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tests.Compute;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>Trained models on both backends, and on chains of both: the same tokens.</summary>
/// <remarks>
/// Prompts are such that the processor's choices are clear (its least lead is asserted), so that equal ids mean equal computation and
/// not luck. On the simulator, whose pace bounds what is compared.
/// </remarks>
[Trait("Category", "ComputeConformance")]
public sealed class BackendAgreementTests(ITestOutputHelper output) : IDisposable
{
    private const int Tokens = 64;

    // Several times what logits of the two backends differ by: a choice that leads by this is not turned by rounding.
    private const float ClearLead = 0.05f;

    // The largest difference of a logit between an unsharded run on the processor and a chain of both. Stories are float32 and differ in the
    // order of sums alone, but for binary16 between blocks, where a last bit may turn. Measured: 0.005 and 0.008, with logits up to 20.
    private const float StoriesTolerance = 0.02f;
    private const float DemoTolerance = 0.04f;

    private readonly CpuBackend _cpu = new(new CpuOptions());
    private readonly IComputeBackend _ilgpu = ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new IlgpuOptions { ForceCpuAccelerator = true } });

    public void Dispose()
    {
        _ilgpu.Dispose();
        _cpu.Dispose();
    }

    [Fact]
    public void Stories_are_told_alike_for_64_tokens()
    {
        using ModelFile model = Stories();
        Agree(model, [1, .. model.Tokenizer.Encode("Lily and Tom")]);
    }

    [Fact]
    public void The_demo_model_answers_alike_for_64_tokens()
    {
        using ModelFile model = Demo();
        Agree(model, Question(model));
    }

    [Fact]
    public void A_chain_of_both_backends_tells_the_story_one_tells()
    {
        using ModelFile model = Stories();
        Mix(model, [1, .. model.Tokenizer.Encode("Lily and Tom")], 24, StoriesTolerance);
    }

    [Fact]
    public void A_chain_of_both_backends_answers_what_one_answers()
    {
        using ModelFile model = Demo();
        Mix(model, Question(model), 12, DemoTolerance);
    }

    private void Agree(ModelFile model, int[] prompt)
    {
        using StackChain here = new(model, _cpu);
        using StackChain there = new(model, _ilgpu);

        GreedyComparison compared = GreedyComparison.Run(here, there, prompt, Tokens);

        output.WriteLine(compared.Story);
        Assert.True(compared.Leads.Min() > ClearLead, $"The prompt is no good for this test: a choice led by {compared.Leads.Min():g3} only.");
        Assert.True(compared.Parted is null, compared.Story);
    }

    private void Mix(ModelFile model, int[] prompt, int count, float tolerance)
    {
        int middle = model.Shape.BlockCount / 2;
        using StackChain alone = new(model, _cpu);
        using StackChain mixed = new(model, [_cpu, _ilgpu], middle);
        using StackChain swapped = new(model, [_ilgpu, _cpu], middle);

        foreach (StackChain chain in new[] { mixed, swapped })
        {
            GreedyComparison compared = GreedyComparison.Run(alone, chain, prompt, count);
            int[] tokens = [.. prompt, .. compared.Expected[..^1]];
            float distance = alone.Logits(tokens, tokens.Length).Zip(chain.Logits(tokens, tokens.Length), (a, b) => a.Zip(b, (x, y) => MathF.Abs(x - y)).Max()).Max();
            output.WriteLine($"{compared.Story}; logits differ by {distance:g3} at most");
            Assert.True(compared.Parted is null, compared.Story);
            Assert.InRange(distance, 0, tolerance);
        }
    }

    private static int[] Question(ModelFile model) =>
        model.Tokenizer.Encode("<|im_start|>user\nExplain Layer 8 in one paragraph.<|im_end|>\n<|im_start|>assistant\n", parseSpecial: true);

    private static ModelFile Stories() => ModelFile.Open(TestData.Require("models", "stories260K-f32.gguf"));

    private static ModelFile Demo()
    {
        string path = RepositoryFile.PathOf("models", "kwaai-demo.gguf");
        Assert.SkipUnless(File.Exists(path), "The repository has no models/kwaai-demo.gguf.");
        return ModelFile.Open(path);
    }
}
