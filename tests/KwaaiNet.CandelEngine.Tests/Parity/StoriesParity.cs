using System.Diagnostics;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tests.Compute;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>A real small llama against another engine's run of it: same tokens, same top logits.</summary>
public abstract class StoriesParity(ITestOutputHelper output)
{
    private const float Tolerance = 1e-3f;

    public static TheoryData<string> Runs => ["empty", "Once_upon_a", "Lily_and_Tom"];

    /// <summary>Positions compared; a slow backend takes a prefix.</summary>
    protected abstract int Positions { get; }

    protected abstract IComputeBackend CreateBackend();

    [Theory]
    [MemberData(nameof(Runs))]
    public void Top_logits_are_the_references_at_every_position(string run)
    {
        using ModelFile model = OpenModel();
        ReferenceRun reference = ReadRun(run);
        using IComputeBackend backend = CreateBackend();
        using StackChain chain = new(model, backend);
        int[] tokens = [.. reference.Tokens.Take(Positions)];

        float[][] exact = chain.Logits(tokens, tokens.Length, HiddenFormat.F32);
        float[][] rounded = chain.Logits(tokens, tokens.Length, HiddenFormat.F16);

        output.WriteLine($"{tokens.Length} positions; largest difference {reference.Distance(exact):g3} with F32 boundaries, {reference.Distance(rounded):g3} with F16");
        Assert.InRange(reference.Distance(exact), 0, Tolerance);
        for (int i = 0; i + 1 < tokens.Length; i++)
        {
            Assert.Equal(reference.Top[i][0].Id, StackChain.ArgMax(exact[i]));
            if (i >= reference.Prompt.Length - 1) Assert.Equal(tokens[i + 1], StackChain.ArgMax(exact[i]));
        }
    }

    [Fact]
    public void Greedy_tokens_do_not_depend_on_the_chain()
    {
        using ModelFile model = OpenModel();
        ReferenceRun reference = ReadRun("Once_upon_a");
        using IComputeBackend backend = CreateBackend();
        int count = Math.Min(Positions, reference.Tokens.Length) - reference.Prompt.Length;
        int[] expected = reference.Tokens[reference.Prompt.Length..(reference.Prompt.Length + count)];

        foreach (int[] cuts in new int[][] { [], [2], [1, 3], [1, 2, 3, 4] })
        {
            using StackChain chain = new(model, backend, cuts);
            long start = Stopwatch.GetTimestamp();
            int[] tokens = chain.Greedy(reference.Prompt, count, HiddenFormat.F32);
            output.WriteLine($"{cuts.Length + 1} stacks: {tokens.Length / Stopwatch.GetElapsedTime(start).TotalSeconds:F0} tokens/s");
            Assert.Equal(expected, tokens);
        }
    }

    private static ModelFile OpenModel() => ModelFile.Open(TestData.Require("models", "stories260K-f32.gguf"));

    private static ReferenceRun ReadRun(string run) => ReferenceRun.Read(TestData.Require("models", $"stories260K.ref.{run}.jsonl"));
}
