using KwaaiNet.CandelEngine.Models.Catalog;

namespace KwaaiNet.CandelEngine.Tests.Models;

public sealed class ModelCatalogTests : IDisposable
{
    private readonly TempFolder _first = new();
    private readonly TempFolder _second = new();
    private readonly ModelCatalog _catalog;

    public ModelCatalogTests()
    {
        _first.Write("kwaai-demo.gguf", [1]);
        _first.Write("readme.txt", [1]);
        _second.Write("Kwaai-Demo.GGUF", [1, 2]);
        _second.Write(Path.Combine("qwen2", "0.5b.gguf"), [1, 2, 3]);
        _second.Write("Meta-Llama-3.1-8B-Instruct-Q4_0.gguf", [1]);
        _second.Write("phi-3-mini-q8_0.gguf", [1]);
        _second.Write("phi-3-mini-q4_0.gguf", [1]);
        _catalog = new ModelCatalog(_first.Path, Path.Combine(_first.Path, "missing"), _second.Path);
    }

    public void Dispose()
    {
        _first.Dispose();
        _second.Dispose();
    }

    [Fact]
    public void Models_are_listed_by_name_and_the_first_folder_wins() => Assert.Equal(
        ["kwaai-demo 1", "Meta-Llama-3.1-8B-Instruct-Q4_0 1", "phi-3-mini-q4_0 1", "phi-3-mini-q8_0 1", "qwen2:0.5b 3"],
        _catalog.List().Select(model => $"{model.Name} {model.FileBytes}"));

    [Theory]
    [InlineData("kwaai-demo", "kwaai-demo.gguf")]
    [InlineData("KWAAI-DEMO:latest", "kwaai-demo.gguf")]
    [InlineData("kwaai-demo.gguf", "kwaai-demo.gguf")]
    [InlineData("llama3.1:8b", "Meta-Llama-3.1-8B-Instruct-Q4_0.gguf")]
    [InlineData("qwen2:0.5b", "0.5b.gguf")]
    [InlineData("phi3-mini:q8_0", "phi-3-mini-q8_0.gguf")]
    public void A_name_finds_its_file(string name, string file) => Assert.Equal(file, Path.GetFileName(_catalog.Find(name).Path));

    [Fact]
    public void A_path_is_taken_as_it_is_by_Resolve_and_never_by_Find()
    {
        using TempFolder elsewhere = new();
        string path = elsewhere.Write("other.gguf", [1]);
        Assert.Equal(path, _catalog.Resolve(path));
        Assert.Throws<ModelNotFoundException>(() => _catalog.Find(path));
    }

    [Theory]
    [InlineData("llama3:8b")]
    [InlineData("lama")]
    [InlineData("")]
    [InlineData("../../etc/passwd")]
    public void An_unknown_name_lists_what_there_is_and_where(string name)
    {
        string message = Assert.Throws<ModelNotFoundException>(() => _catalog.Resolve(name)).Message;
        Assert.All([$"'{name}'", "kwaai-demo", "qwen2:0.5b", _first.Path, _second.Path], part => Assert.Contains(part, message));
    }

    [Fact]
    public void A_name_that_fits_several_asks_which()
    {
        string message = Assert.Throws<ModelNotFoundException>(() => _catalog.Find("phi-3")).Message;
        Assert.Contains("phi-3-mini-q4_0, phi-3-mini-q8_0", message);
    }

    [Fact]
    public void Without_models_the_folders_are_named() =>
        Assert.Contains("There are no models in", Assert.Throws<ModelNotFoundException>(() => new ModelCatalog(Path.Combine(_first.Path, "missing")).Find("x")).Message);
}
