using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;
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
    public void Version_2_is_version_3_by_another_number()
    {
        byte[] bytes = SmallModel.Build();
        bytes[4] = 2;
        using ModelFile model = ModelFile.Open(_folder.Write("old.gguf", bytes));
        Assert.Equal(SmallModel.Tensors.Select(tensor => tensor.Name), model.TensorNames);
    }

    [Fact]
    public void Every_tensor_type_and_shape_is_written_and_read()
    {
        GgmlType[] types = Enum.GetValues<GgmlType>();
        using MemoryStream stream = new();
        using GgufWriter writer = new(stream, leaveOpen: true);
        foreach (GgmlType type in types)
            writer.AddTensor(type.ToString(), [512, 3, 4, 2], type);
        writer.AddTensor("vector", [7], GgmlType.BF16);
        foreach (GgmlType type in types)
            writer.WriteTensor(type.ToString(), [.. Enumerable.Repeat((byte)type, 24 * 512 / type.BlockLength() * type.BlockBytes())]);
        writer.WriteTensor("vector", new byte[14]);
        writer.Finish();

        using GgufFile file = GgufFile.Open(_folder.Write("all.gguf", stream.ToArray()));
        foreach (GgmlType type in types)
        {
            Assert.True(file.TryGetTensor(type.ToString(), out TensorData tensor));
            Assert.Equal((type, 24, 512, 8), (tensor.Type, tensor.Rows, tensor.Columns, tensor.Slices));
            Assert.All(tensor.Bytes.ToArray(), b => Assert.Equal((byte)type, b));

            TensorData slice = tensor.Slice(5);
            Assert.Equal((3, 1, tensor.ByteLength / 8, tensor.Address + (nint)(5 * tensor.ByteLength / 8)), (slice.Rows, slice.Slices, slice.ByteLength, slice.Address));
            Assert.Throws<ArgumentOutOfRangeException>(() => tensor.Slice(8));
        }

        Assert.True(file.TryGetTensor("vector", out TensorData vector));
        Assert.Equal((1, 7, 1), (vector.Rows, vector.Columns, vector.Slices));
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
