using System.Security.Cryptography;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Tensors;

namespace KwaaiNet.CandelEngine.Tests.Gguf;

/// <summary>A model in several files, as llama.cpp's gguf-split leaves it.</summary>
public sealed class SplitFileTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Any_part_opens_the_whole(int opened)
    {
        string[] paths = Write("big");
        using ModelFile model = ModelFile.Open(paths[opened - 1]);

        Assert.Equal(SmallModel.Tensors.Select(t => t.Name), model.TensorNames);
        for (int i = 0; i < SmallModel.Tensors.Length; i++)
        {
            Assert.True(model.TryGetTensor(SmallModel.Tensors[i].Name, out TensorData tensor));
            Assert.All(tensor.Bytes.ToArray(), b => Assert.Equal(i + 1, b)); // each tensor is filled with its own number
        }

        Assert.Equal(paths[0], model.Path);
        Assert.Equal("Small", model.Name);
        Assert.Equal(SmallVocabulary.Count, model.Tokenizer.VocabularySize);
        byte[] all = [.. paths.SelectMany(File.ReadAllBytes)];
        Assert.Equal((all.LongLength, Convert.ToHexStringLower(SHA256.HashData(all))), (model.FileBytes, model.WeightsHash));
        Assert.Equal(3, model.PartCount);

        model.Dispose();
        Assert.Throws<ObjectDisposedException>(() => model.TryGetTensor(SmallModel.Tensors[^1].Name, out _));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(3)]
    public void Whichever_part_is_given_a_split_model_has_one_name_one_size_and_its_number_of_parts(int given)
    {
        string[] paths = Write("d");
        Assert.Equal(("d", paths.Sum(path => new FileInfo(path).Length), 3), (ModelPath.NameOf(paths[given - 1]), ModelPath.Bytes(paths[given - 1]), ModelPath.Parts(paths[given - 1])));
        Assert.Equal("d", Assert.Single(new ModelCatalog(_folder.Path).List()).Name);
    }

    [Fact]
    public void A_whole_file_has_its_own_name_and_size_and_is_one_part()
    {
        string path = _folder.Write("whole.gguf", SmallModel.Build());
        Assert.Equal(("whole", new FileInfo(path).Length, 1), (ModelPath.NameOf(path), ModelPath.Bytes(path), ModelPath.Parts(path)));
        using ModelFile model = ModelFile.Open(path);
        Assert.Equal(1, model.PartCount);
    }

    [Fact]
    public void Missing_parts_are_named()
    {
        string[] paths = Write("big");
        File.Delete(paths[0]);
        File.Delete(paths[2]);
        string message = Assert.Throws<ModelFormatException>(() => ModelFile.Open(paths[1])).Message;
        Assert.Contains("2 of the model's 3 parts are missing: big-00001-of-00003.gguf, big-00003-of-00003.gguf", message);
    }

    [Theory]
    [InlineData("tensors", "its model has 9 tensors and that of part 1 4")]
    [InlineData("name", "its 'general.name' is 'Other' and that of part 1 'Small'")]
    [InlineData("number", "not part 3 of 3")]
    [InlineData("count", "not part 3 of 3")]
    [InlineData("again", "hold 5 tensors, and it says it has 4")]
    [InlineData("fewer", "hold 3 tensors, and it says it has 4")]
    public void A_part_of_another_model_is_named(string lie, string said)
    {
        string[] paths = Write("big", lie);
        string message = Assert.Throws<ModelFormatException>(() => ModelFile.Open(paths[1])).Message;
        Assert.Contains(said, message);

        // Nothing stays open: the files can be replaced.
        foreach (string path in paths)
            File.Delete(path);
    }

    [Fact]
    public void A_part_under_another_name_says_what_it_must_be_called()
    {
        string[] paths = Write("big");
        string renamed = Path.Combine(_folder.Path, "part-two.gguf");
        File.Move(paths[1], renamed);
        string message = Assert.Throws<ModelFormatException>(() => ModelFile.Open(renamed)).Message;
        Assert.Contains("-00002-of-00003.gguf", message);
    }

    [Fact]
    public void A_damaged_part_is_named()
    {
        string[] paths = Write("big");
        File.WriteAllBytes(paths[2], File.ReadAllBytes(paths[2])[..100]);
        Assert.StartsWith(paths[2], Assert.Throws<ModelFormatException>(() => ModelFile.Open(paths[0])).Message);
    }

    [Fact]
    public void A_catalog_lists_a_split_model_once()
    {
        string[] paths = Write("llama-8b");
        ModelCatalog catalog = new(_folder.Path);
        CatalogModel model = Assert.Single(catalog.List());
        Assert.Equal(("llama-8b", paths[0], paths.Sum(p => new FileInfo(p).Length)), (model.Name, model.Path, model.FileBytes));
        Assert.Equal(paths[0], catalog.Resolve("llama:8b"));
    }

    [Theory]
    [InlineData("m-00001-of-00002.gguf", "m", 1, 2)]
    [InlineData("a/b-c-99999-of-99999.GGUF", "a/b-c", 99999, 99999)]
    [InlineData("m-00003-of-00002.gguf", null, 0, 0)]
    [InlineData("m-00000-of-00002.gguf", null, 0, 0)]
    [InlineData("m-0001-of-00002.gguf", null, 0, 0)]
    [InlineData("m-0000a-of-00002.gguf", null, 0, 0)]
    [InlineData("m-00001-of-00002.bin", null, 0, 0)]
    [InlineData("-00001-of-00002.gguf", "", 1, 2)]
    [InlineData(".gguf", null, 0, 0)]
    public void Names_of_parts_are_read(string path, string? stem, int number, int count) =>
        Assert.Equal(stem is null ? null : new GgufPartName(stem, number, count), GgufPartName.Parse(path));

    private string[] Write(string stem, string lie = "")
    {
        (int First, int End)[] parts = [(0, 0), (0, 3), lie switch { "again" => (2, 4), "fewer" => (4, 4), _ => (3, 4) }];
        var paths = new string[3];
        for (int i = 0; i < parts.Length; i++)
        {
            bool other = i == 2;
            byte[] bytes = i == 0
                ? SmallModel.Build(AddSplit, tensors: [])
                : Part(AddSplit, Enumerable.Range(parts[i].First, parts[i].End - parts[i].First), other && lie == "again");
            paths[i] = _folder.Write($"{stem}-{i + 1:D5}-of-00003.gguf", bytes);

            void AddSplit(GgufWriter writer)
            {
                writer.Add("split.no", (ushort)(other && lie == "number" ? 1 : i));
                writer.Add("split.count", (ushort)(other && lie == "count" ? 4 : 3));
                writer.Add("split.tensors.count", other && lie == "tensors" ? 9 : SmallModel.Tensors.Length);
                if (other && lie == "name") writer.Add("general.name", "Other");
            }
        }

        return paths;
    }

    private static byte[] Part(Action<GgufWriter> add, IEnumerable<int> tensors, bool rename)
    {
        using MemoryStream stream = new();
        using GgufWriter writer = new(stream, leaveOpen: true);
        add(writer);
        foreach (int i in tensors)
            writer.AddTensor(Name(i), SmallModel.Tensors[i].Shape, SmallModel.Tensors[i].Type);
        foreach (int i in tensors)
        {
            var bytes = new byte[SmallModel.BytesOf(SmallModel.Tensors[i].Shape, SmallModel.Tensors[i].Type)];
            Array.Fill(bytes, (byte)(i + 1));
            writer.WriteTensor(Name(i), bytes);
        }

        writer.Finish();
        return stream.ToArray();

        string Name(int i) => rename && i == 2 ? "one.more" : SmallModel.Tensors[i].Name;
    }
}
