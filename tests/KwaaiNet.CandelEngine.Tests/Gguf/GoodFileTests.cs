using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.CandelEngine.Tests.Gguf;

public sealed class GoodFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void What_was_written_is_read_with_its_types()
    {
        using GgufFile file = GgufFile.Open(_folder.Write("small.gguf", SmallModel.Build()));

        Assert.Equal("8 -8 16 -16 -32 18446744073709551615 -9223372036854775808 true Bool[2] Int64[3]", string.Join(' ', file.Metadata.Keys.Where(key => key.StartsWith("test.", StringComparison.Ordinal)).Select(Show)));
        Assert.Equal(SmallModel.Tensors.Select(tensor => tensor.Name), file.TensorNames);
        foreach ((string name, long[] shape, GgmlType type) in SmallModel.Tensors)
        {
            Assert.True(file.TryGetTensor(name, out TensorData tensor));
            Assert.Equal((type, (int)shape[0], shape.Length > 1 ? (int)shape[1] : 1, SmallModel.BytesOf(shape, type)), (tensor.Type, tensor.Columns, tensor.Rows, tensor.Bytes.Length));
        }

        string Show(string key) => file.Metadata.TryGetValue(key, out GgufValue value) ? value.ToString() : "?";
    }

    [Fact]
    public void A_model_gives_its_shape_tokenizer_template_and_hash()
    {
        byte[] bytes = SmallModel.Build();
        using ModelFile model = ModelFile.Open(_folder.Write("small.gguf", bytes));

        Assert.Equal(
            new ModelShape { Architecture = "llama", BlockCount = 1, Width = 32, HeadCount = 4, KvHeadCount = 2, HeadSize = 8, FeedForwardWidth = 64, VocabularySize = SmallVocabulary.Count, ContextLength = 64, RmsEpsilon = 1e-5f, RopeBase = 10_000, RopeSize = 8 },
            model.Shape);
        Assert.Equal(("Small", "F16", bytes.LongLength), (model.Name, model.WeightFormat, model.FileBytes));
        Assert.Equal(Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)), model.WeightsHash);
        Assert.Equal(SmallVocabulary.Count, model.Tokenizer.VocabularySize);
        Assert.Equal("<s><|im_start|>user\nhello<|im_end|>\n", model.ChatTemplate!.Render([new ChatTurn("user", " hello ")], addGenerationPrompt: false));
        Assert.False(model.TryGetTensor("output.weight", out _));
    }

    [Fact]
    public void Opening_allocates_little_whatever_the_vocabulary()
    {
        string path = TestData.Require("tokenizers", "ggml-vocab-llama-bpe.gguf");
        GgufFile.Open(path).Dispose();
        long before = GC.GetAllocatedBytesForCurrentThread();
        GgufFile.Open(path).Dispose();
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.True(allocated < 100_000, $"{allocated} bytes for a file of {new FileInfo(path).Length}");
    }

    [Fact]
    public void A_closed_file_says_so()
    {
        ModelFile model = ModelFile.Open(_folder.Write("small.gguf", SmallModel.Build()));
        model.Dispose();
        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.TryGetTensor("output_norm.weight", out _));
        Assert.Throws<ObjectDisposedException>(() => model.WeightsHash);
        Assert.Throws<ObjectDisposedException>(() => model.Tokenizer);
    }

    [Fact]
    public void A_missing_file_is_not_found() =>
        Assert.Contains("none.gguf", Assert.Throws<FileNotFoundException>(() => ModelFile.Open(Path.Combine(_folder.Path, "none.gguf"))).Message);
}
