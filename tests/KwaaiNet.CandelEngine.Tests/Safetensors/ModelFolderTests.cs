using System.Security.Cryptography;
using System.Text;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Catalog;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.CandelEngine.Tests.Safetensors;

/// <summary>How a folder of safetensors is found, opened and told from others.</summary>
public sealed class ModelFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_folder_is_a_model_by_its_name_or_by_any_of_its_paths()
    {
        string folder = PublishedModels.Make("qwen3").Folder(_folder, "Qwen3-0.6B");
        ModelCatalog catalog = new(_folder.Path);
        CatalogModel found = catalog.Find("qwen3:0.6b");
        Assert.Equal(("Qwen3-0.6B", folder), (found.Name, found.Path));
        Assert.Equal(new FileInfo(Path.Combine(folder, "model.safetensors")).Length, found.FileBytes);
        Assert.Equal(folder, catalog.Resolve(folder));
        Assert.Equal(folder, catalog.Resolve("qwen3:0.6b"));
        string file = Path.Combine(folder, "model.safetensors");
        Assert.Equal(file, catalog.Resolve(file));
        Assert.Throws<ModelNotFoundException>(() => catalog.Resolve(_folder.Path));
        foreach (string path in (string[])[folder, folder + Path.DirectorySeparatorChar, file])
        {
            Assert.True(ModelPath.Exists(path));
            Assert.Equal("Qwen3-0.6B", ModelPath.NameOf(path));
            using ModelFile model = ModelFile.Open(path);
            Assert.Equal("Qwen3-0.6B", model.Name);
            Assert.Equal("qwen3", model.Shape.Architecture);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file))), model.WeightsHash);
        }
    }

    [Fact]
    public void Several_files_have_one_hash_that_anybody_can_compute()
    {
        string folder = PublishedModels.Make("llama").Folder(_folder, "model", files: 3);
        string[] files = [.. Directory.GetFiles(folder, "*.safetensors").Order(StringComparer.Ordinal)];
        string lines = string.Concat(files.Select(file => $"{Path.GetFileName(file)}\0{Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)))}\n"));
        foreach (string path in (string[])[folder, files[1], Path.Combine(folder, "model.safetensors.index.json")])
        {
            using ModelFile model = ModelFile.Open(path);
            Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(lines))), model.WeightsHash);
            Assert.Equal(files.Sum(file => new FileInfo(file).Length), model.FileBytes);
            Assert.Equal(PublishedModel.Vocabulary, model.Shape.VocabularySize);
        }
    }

    [Fact]
    public void The_folder_recommends_how_to_draw()
    {
        string folder = PublishedModels.Make("llama").Folder(_folder, "model");
        using (ModelFile model = ModelFile.Open(folder))
            Assert.True(model.RecommendedSampling.IsEmpty);

        _folder.Write("model/generation_config.json", """{"do_sample":true,"temperature":0.6,"top_k":20,"top_p":0.95,"min_p":7,"typical_p":0,"repetition_penalty":1.05}"""u8);
        using (ModelFile model = ModelFile.Open(folder))
            Assert.Equal(new RecommendedSampling { Temperature = 0.6f, TopK = 20, TopP = 0.95f, RepetitionPenalty = 1.05f }, model.RecommendedSampling);

        _folder.Write("model/generation_config.json", """{"do_sample":false,"temperature":0.6}"""u8);
        using (ModelFile model = ModelFile.Open(folder))
            Assert.Equal(0, model.RecommendedSampling.Temperature);
    }

    [Fact]
    public void The_small_files_say_how_a_prompt_starts_and_where_an_answer_ends()
    {
        string folder = PublishedModels.Make("llama").Folder(_folder, "model");
        _folder.Write("model/tokenizer_config.json", """{"bos_token":{"content":"<|im_start|>"},"add_bos_token":true,"eos_token":null,"chat_template":[{"name":"tool_use","template":"no"},{"name":"default","template":"{{ bos_token }}{{ messages[0].content }}!"}]}"""u8);
        _folder.Write("model/generation_config.json", """{"eos_token_id":[7,269]}"""u8);
        using (ModelFile model = ModelFile.Open(folder))
        {
            int start = model.Tokenizer.Encode("<|im_start|>", parseSpecial: true).Single();
            Assert.Equal(start, model.Tokenizer.BosId);
            Assert.True(model.Tokenizer.AddBos);
            Assert.Equal([7, 269], model.Tokenizer.EndOfGenerationIds.Order());
            int[] prompt = model.ChatTemplate!.Encode(model.Tokenizer, [new ChatTurn("user", "hello <|im_start|>")]);
            Assert.Equal(start, prompt[0]);
            // What a user writes is never a control token.
            Assert.Single(prompt, start);
        }

        _folder.Write("model/chat_template.jinja", "newer"u8);
        using (ModelFile model = ModelFile.Open(folder))
            Assert.Equal("newer", model.ChatTemplate!.Source);
    }

    [Theory]
    [InlineData("tokenizer_config.json", """{"chat_template":"{% frobnicate %}"}""")]
    [InlineData("chat_template.json", """{"chat_template":"{% frobnicate %}"}""")]
    [InlineData("chat_template.jinja", "{% frobnicate %}")]
    public void A_template_that_does_not_parse_is_refused_naming_its_file_line_and_column(string name, string text)
    {
        string folder = PublishedModels.Make("llama").Folder(_folder, "model");
        string file = _folder.Write("model/" + name, System.Text.Encoding.UTF8.GetBytes(text));
        using ModelFile model = ModelFile.Open(folder);
        string message = Assert.Throws<ModelFormatException>(() => model.ChatTemplate).Message;
        Assert.StartsWith(Path.GetFullPath(file), message, StringComparison.Ordinal);
        Assert.Contains("line 1, column 4: the statement 'frobnicate' is not known here.", message, StringComparison.Ordinal);
    }
}
