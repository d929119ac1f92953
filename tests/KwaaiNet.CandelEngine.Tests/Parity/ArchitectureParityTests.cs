using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.CandelEngine.Tests.Compute;
using KwaaiNet.ModelLab.Measurement;
using KwaaiNet.ModelLab.Synthesis;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>A small random model of every architecture, against what llama.cpp makes of the same file (<c>docs/accuracy.md</c>).</summary>
[Trait("Category", "Parity")]
public sealed class ArchitectureParityTests(ITestOutputHelper output)
{
    private const float Tolerance = 1e-3f;

    public static TheoryData<string> Names => [.. Recipes.All.Select(recipe => recipe.Name)];

    [Theory]
    [MemberData(nameof(Names))]
    public void Logits_are_llama_cpps(string name)
    {
        ArchitectureReference reference = ArchitectureReference.Read(RepositoryFile.Data("Architectures", $"{name}.json"));
        using TempFolder folder = new();
        string path = Path.Combine(folder.Path, "model.gguf");
        SyntheticFile.Write(path, Recipes.Find(name)!, GgmlType.F32, reference.Seed);
        using ModelFile model = ModelFile.Open(path);
        Assert.Equal(reference.ModelSha256, model.WeightsHash); // other weights: make the references anew (docs/accuracy.md)

        using CpuBackend backend = new(new CpuOptions());
        using StackChain chain = new(model, backend);
        float[][] logits = chain.Logits(ProbePrompt.Tokens, ProbePrompt.Length, HiddenFormat.F32);

        output.WriteLine($"largest difference {reference.Distance(logits):g2}");
        Assert.InRange(reference.Distance(logits), 0, Tolerance);
    }

    [Fact]
    public void Every_kept_reference_has_a_recipe()
    {
        string[] kept = [.. Directory.EnumerateFiles(RepositoryFile.Data("Architectures"), "*.json").Select(path => Path.GetFileNameWithoutExtension(path)!)];
        Assert.Equal(Recipes.All.Select(recipe => recipe.Name).Order(), kept.Order());
    }
}
