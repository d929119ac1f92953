using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tests.Compute;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>The demo model that ships in the repository, against llama.cpp's run of the same file.</summary>
[Trait("Category", "Parity")]
public sealed class DemoModelParityTests(ITestOutputHelper output)
{
    // Against a forward pass in double precision over the same file: what float32, and activations of 16 bits against Q8_0, cost. Measured: 5e-4.
    private const double DoubleTolerance = 2e-3;

    // Against llama.cpp on the same weights in float32. Measured: 0.009 with logits up to 20, all of it on llama.cpp's side: its attention
    // still rounds to float16 (rounding keys and values in the double-precision pass takes most of it away where one position attends
    // to itself).
    private const float ExactTolerance = 0.03f;

    // Against llama.cpp on the file as it is: it rounds the activations that meet Q8_0 weights to 8 bits, and we do not. Measured: 0.25 on
    // the lesser of the five best; its own two runs differ by as much.
    private const float StoredTolerance = 0.6f;

    // The same with binary16 between blocks. Measured: 0.009.
    private const float BoundaryTolerance = 0.05f;

    public static TheoryData<int> Runs => [1, 2];

    [Theory]
    [MemberData(nameof(Runs))]
    public void Top_logits_are_llama_cpps(int number)
    {
        using ModelFile model = OpenModel();
        DemoModelRun run = ReadRun(number);
        using CpuBackend backend = new(new CpuOptions());
        using StackChain chain = new(model, backend);

        float[][] exact = chain.Logits(run.Tokens, run.Tokens.Length, HiddenFormat.F32);
        float[][] rounded = chain.Logits(run.Tokens, run.Tokens.Length, HiddenFormat.F16);

        output.WriteLine($"to llama.cpp with float32 weights: {DemoModelRun.Distance(run.Exact, exact):g3}, with F16 boundaries {DemoModelRun.Distance(run.Exact, rounded):g3}");
        output.WriteLine($"to llama.cpp with the file's weights: {DemoModelRun.Distance(run.Stored, exact):g3}");
        Assert.InRange(DemoModelRun.Distance(run.Exact, exact), 0, ExactTolerance);
        Assert.InRange(DemoModelRun.Distance(run.Exact, rounded), 0, BoundaryTolerance);
        Assert.InRange(DemoModelRun.Distance(run.Stored, exact), 0, StoredTolerance);
        Assert.All(exact, (row, i) =>
        {
            if (!IsTie(run.Exact[i])) Assert.Equal(run.Exact[i][0].Id, StackChain.ArgMax(row));
        });
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void Greedy_tokens_are_llama_cpps_however_the_chain_is_cut(int number)
    {
        using ModelFile model = OpenModel();
        DemoModelRun run = ReadRun(number);

        // Where the best two are closer than llama.cpp's rounding, either is right, and what follows is another story.
        int tie = Enumerable.Range(0, run.Tokens.Length).FirstOrDefault(
            i => i >= run.Prompt.Length - 1 && (IsTie(run.Exact[i]) || run.Exact[i][0].Id != run.Stored[i][0].Id), -1);
        int end = tie < 0 ? run.Tokens.Length : tie + 1;
        int[] expected = run.Tokens[run.Prompt.Length..end];
        output.WriteLine($"{expected.Length} tokens compared");
        Assert.NotEmpty(expected);

        int blocks = model.Shape.BlockCount;
        using CpuBackend backend = new(new CpuOptions());
        foreach (int[] cuts in new int[][] { [], [blocks / 2], [blocks / 3, 2 * blocks / 3], [.. Enumerable.Range(1, blocks - 1)] })
        {
            using StackChain chain = new(model, backend, cuts);
            Assert.Equal(expected, chain.Greedy(run.Prompt, expected.Length));
        }
    }

    [Fact]
    public void Logits_agree_with_a_forward_pass_in_double_precision()
    {
        const int Positions = 16;

        using ModelFile model = OpenModel();
        int[] tokens = ReadRun(2).Tokens[..Positions];
        using CpuBackend backend = new(new CpuOptions());
        using StackChain chain = new(model, backend);

        float[][] logits = chain.Logits(tokens, Positions, HiddenFormat.F32);
        double[][] expected = new ReferenceModel(model).Logits(tokens);

        Assert.InRange(logits.Zip(expected, (a, e) => a.Zip(e, (x, y) => Math.Abs(x - y)).Max()).Max(), 0, DoubleTolerance);
    }

    [Fact]
    public void The_ilgpu_backend_agrees()
    {
        const int Positions = 16; // the simulator's pace

        using ModelFile model = OpenModel();
        DemoModelRun run = ReadRun(1);
        using IComputeBackend backend = ComputeBackends.Create("ilgpu", new ComputeOptions { Ilgpu = new() { ForceCpuAccelerator = true } });
        using StackChain chain = new(model, backend);

        float[][] logits = chain.Logits(run.Tokens.AsSpan(0, Positions), Positions, HiddenFormat.F32);

        Assert.InRange(DemoModelRun.Distance(run.Exact, logits), 0, ExactTolerance);
    }

    private static bool IsTie((int Id, float Logit)[] top) => top[0].Logit - top[1].Logit < 2 * ExactTolerance;

    private static ModelFile OpenModel() => ModelFile.Open(Require("models", "kwaai-demo.gguf"));

    private static DemoModelRun ReadRun(int number) =>
        DemoModelRun.Read(Require("tests", "KwaaiNet.CandelEngine.Tests", "Data", $"kwaai-demo.ref.{number}.json"));

    private static string Require(params string[] parts)
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !Path.Exists(Path.Combine(root.FullName, ".git"))) root = root.Parent;
        Assert.SkipWhen(root is null, "The tests do not run inside the repository.");
        string path = Path.Combine([root.FullName, .. parts]);
        Assert.SkipUnless(File.Exists(path), $"The repository has no {string.Join('/', parts)} yet.");
        return path;
    }
}
