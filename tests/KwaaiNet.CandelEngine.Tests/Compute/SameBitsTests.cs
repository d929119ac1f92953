using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Compute;

/// <summary>
/// The processor's results over random shapes: the same bits with 1 and 2 threads, in a batch of 1 and of 16, for a prompt in chunks of
/// 1, 7, 64 and 512, and wherever the stack is cut.
/// </summary>
[Trait("Category", "ComputeConformance")]
public sealed class SameBitsTests(ITestOutputHelper output)
{
    private const int Sessions = 16;

    public static TheoryData<GgmlType> Types =>
        [GgmlType.F32, GgmlType.F16, GgmlType.BF16, GgmlType.Q4_0, GgmlType.Q8_0, GgmlType.Q4_K, GgmlType.Q5_K, GgmlType.Q6_K, GgmlType.Q5_1, GgmlType.IQ4_NL];

    [Theory]
    [MemberData(nameof(Types))]
    public void Threads_batch_chunks_and_cuts_do_not_show(GgmlType type)
    {
        int seed = Random.Shared.Next();
        using RandomLlama model = new(type, seed);
        output.WriteLine(model.Description);
        using CpuBackend one = new(new CpuOptions { Threads = 1 });
        using CpuBackend two = new(new CpuOptions { Threads = 2 });
        int[] tokens = Tokens(model.File.Shape, 70, seed);

        float[][] expected;
        using (StackChain alone = new(model.File, one)) expected = alone.Logits(tokens, 1);
        using (StackChain whole = new(model.File, two))
        {
            foreach (int chunk in (int[])[1, 7, 64, 512]) AssertSame(expected, whole.Logits(tokens, chunk), $"chunks of {chunk}");
            AssertBatch(whole, model.File.Shape, seed);
        }

        for (int cut = 1; cut < model.File.Shape.BlockCount; cut++)
        {
            using StackChain parts = new(model.File, two, cut);
            AssertSame(expected, parts.Logits(tokens, 64), $"cut at block {cut}");
        }
    }

    // Longer than the rows a stack runs together (256) and than many pages of keys (64), neither of which may show.
    [Theory]
    [InlineData(GgmlType.F16)]
    [InlineData(GgmlType.Q4_0)]
    public void A_long_prompt_gives_the_same_whole_and_token_by_token(GgmlType type)
    {
        int seed = Random.Shared.Next();
        using RandomLlama model = new(type, seed);
        output.WriteLine(model.Description);
        using CpuBackend one = new(new CpuOptions { Threads = 1 });
        using CpuBackend two = new(new CpuOptions { Threads = 2 });
        int[] tokens = Tokens(model.File.Shape, 530, seed);

        using StackChain alone = new(model.File, one);
        using StackChain whole = new(model.File, two);
        float[][] expected = alone.Logits(tokens, 1);
        foreach (int chunk in (int[])[7, 64, 512]) AssertSame(expected, whole.Logits(tokens, chunk), $"chunks of {chunk}");
    }

    // 16 sessions at different positions decode together; each must get what it gets alone.
    private static void AssertBatch(StackChain chain, ModelShape shape, int seed)
    {
        int[][] prompts = [.. Enumerable.Range(0, Sessions).Select(i => Tokens(shape, 3 + (i * 5), seed + i))];
        KvCache[] caches = [.. prompts.Select(prompt => chain.First.CreateCache(0, shape.BlockCount))];
        try
        {
            BlockStep[] fill = [.. prompts.Select((prompt, i) => new BlockStep { Cache = caches[i], Rows = prompt.Length - 1, Tokens = prompt.AsMemory(0, prompt.Length - 1) })];
            chain.First.Run(fill);
            BlockStep[] last = [.. prompts.Select((prompt, i) => new BlockStep { Cache = caches[i], Rows = 1, Tokens = prompt.AsMemory(prompt.Length - 1), Logits = new float[shape.VocabularySize] })];
            chain.First.Run(last);
            for (int i = 0; i < Sessions; i++)
                AssertSame([chain.Logits(prompts[i], prompts[i].Length)[^1]], [last[i].Logits.ToArray()], $"session {i} of {Sessions}");
        }
        finally
        {
            foreach (KvCache cache in caches) cache.Dispose();
        }
    }

    private static void AssertSame(float[][] expected, float[][] actual, string what)
    {
        Assert.Equal(expected.Length, actual.Length);
        for (int t = 0; t < expected.Length; t++)
        {
            for (int i = 0; i < expected[t].Length; i++)
            {
                if (BitConverter.SingleToInt32Bits(expected[t][i]) != BitConverter.SingleToInt32Bits(actual[t][i]))
                    Assert.Fail($"{what}: logit {i} at position {t} is {actual[t][i]:R}, not {expected[t][i]:R}.");
            }
        }
    }

    private static int[] Tokens(ModelShape shape, int count, int seed)
    {
        Random random = new(seed);
        return [.. Enumerable.Range(0, count).Select(_ => random.Next(shape.VocabularySize))];
    }
}
