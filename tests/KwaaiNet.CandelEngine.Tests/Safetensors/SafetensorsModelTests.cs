using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Backends;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tests.Compute;

namespace KwaaiNet.CandelEngine.Tests.Safetensors;

/// <summary>A folder of Hugging Face's files computes what the GGUF made of it computes.</summary>
[Trait("Category", "Parity")]
public sealed class SafetensorsModelTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    public static TheoryData<string> Kinds => [.. PublishedModels.Names];

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Logits_and_text_are_those_of_the_gguf(string name)
    {
        PublishedModel made = PublishedModels.Make(name);
        using ModelFile gguf = ModelFile.Open(_folder.Write("model.gguf", made.Gguf()));
        using ModelFile folder = ModelFile.Open(made.Folder(_folder, "model"));
        using IComputeBackend backend = ComputeBackends.Create("cpu", new ComputeOptions());
        int[] prompt = folder.Tokenizer.Encode("hello world, hell word: aaaa 0123456789");
        Assert.Equal(gguf.Tokenizer.Encode("hello world, hell word: aaaa 0123456789"), prompt);
        Assert.Equal(gguf.WeightFormat, folder.WeightFormat);

        using StackChain expected = new(gguf, backend, 2);
        using StackChain actual = new(folder, backend, 2);
        float[][] expectedLogits = expected.Logits(prompt, 8, HiddenFormat.F32);
        float[][] logits = actual.Logits(prompt, 8, HiddenFormat.F32);
        Assert.Contains(expectedLogits[^1], logit => Math.Abs(logit) > 0.01f);
        double worst = 0;
        for (int i = 0; i < logits.Length; i++)
        {
            for (int j = 0; j < logits[i].Length; j++)
                worst = Math.Max(worst, Math.Abs(logits[i][j] - expectedLogits[i][j]) / (1 + Math.Abs(expectedLogits[i][j])));
        }

        // With the rows of queries and keys in another order their products add up in another: the last bits differ. Else nothing does.
        Assert.True(worst <= (made.Permutes ? 1e-5 : 0), $"{name}: logits differ by {worst}");
        Assert.Equal(expected.Greedy(prompt, 32, HiddenFormat.F32), actual.Greedy(prompt, 32, HiddenFormat.F32));
    }
}
