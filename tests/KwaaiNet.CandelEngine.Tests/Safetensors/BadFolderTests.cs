using System.Text;
using System.Text.Json.Nodes;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Safetensors;

namespace KwaaiNet.CandelEngine.Tests.Safetensors;

/// <summary>Folders that lie, or hold what is not run: an error that names the file and the part.</summary>
[Trait("Category", "BadInput")]
public sealed class BadFolderTests : IDisposable
{
    private readonly TempFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("model_type", "\"klingon\"", "'klingon'")]
    [InlineData("model_type", "null", "'model_type'")]
    [InlineData("hidden_size", "null", "'hidden_size'")]
    [InlineData("hidden_size", "\"64\"", "'hidden_size'")]
    [InlineData("hidden_size", "1e300", "embedding_length")]
    [InlineData("num_hidden_layers", "-4", "block_count")]
    [InlineData("num_hidden_layers", "4.5", "block_count")]
    [InlineData("num_attention_heads", "0", "head_count")]
    [InlineData("num_key_value_heads", "3", "3 key/value heads")]
    [InlineData("head_dim", "0", "0 numbers of a head")]
    [InlineData("head_dim", "1e9", "1000000000 numbers of a head")]
    [InlineData("rope_theta", "0", "freq_base")]
    [InlineData("hidden_act", "\"relu\"", "'relu'")]
    [InlineData("rope_scaling", """{"rope_type":"dynamic","factor":2.0}""", "'dynamic'")]
    [InlineData("rope_scaling", """{"rope_type":"linear"}""", "'rope_scaling.factor'")]
    [InlineData("rope_scaling", """{"rope_type":"linear","factor":-1}""", "'factor' is -1")]
    [InlineData("rope_scaling", """{"rope_type":"llama3","factor":8,"low_freq_factor":4,"high_freq_factor":4,"original_max_position_embeddings":64}""", "'high_freq_factor'")]
    [InlineData("rope_scaling", """{"rope_type":"longrope","long_factor":[1,2],"short_factor":[1,2]}""", "'long_factor' has 2 numbers")]
    [InlineData("rope_scaling", "7", "'rope_scaling'")]
    [InlineData("quantization_config", """{"quant_method":"gptq","bits":4}""", "'gptq'")]
    [InlineData("layer_types", """["full_attention","full_attention","full_attention","sliding_attention"]""", "windows")]
    [InlineData("vocab_size", "0", null)]
    public void A_configuration_that_cannot_be_is_refused(string key, string value, string? named)
    {
        PublishedModel model = PublishedModels.Make("llama");
        model.Config[key] = JsonNode.Parse(value);
        string folder = model.Folder(_folder, "model");
        if (named is null)
        {
            // The embedding says what the vocabulary is.
            using ModelFile file = ModelFile.Open(folder);
            Assert.Equal(PublishedModel.Vocabulary, file.Shape.VocabularySize);
            return;
        }

        string message = Assert.Throws<ModelFormatException>(() => ModelFile.Open(folder)).Message;
        Assert.Contains("config.json", message);
        Assert.Contains(named, message);
    }

    [Theory]
    [InlineData("qwen3_moe", "mlp_only_layers", "[0]", "experts in some blocks")]
    [InlineData("gemma2", "query_pre_attn_scalar", "0", "'query_pre_attn_scalar'")]
    [InlineData("gemma3_text", "layer_types", """["sliding_attention","odd"]""", "'layer_types'")]
    [InlineData("smollm3", "no_rope_layers", "[1,0]", "'no_rope_layers'")]
    [InlineData("qwen2", "rope_scaling", """{"rope_type":"llama3","factor":8,"low_freq_factor":1,"high_freq_factor":4,"original_max_position_embeddings":64}""", "'llama3'")]
    public void What_a_kind_does_not_run_is_named(string kind, string key, string value, string named)
    {
        PublishedModel model = PublishedModels.Make(kind);
        model.Config[key] = JsonNode.Parse(value);
        Assert.Contains(named, Assert.Throws<ModelFormatException>(() => ModelFile.Open(model.Folder(_folder, "model"))).Message);
    }

    [Fact]
    public void Tensors_that_are_no_part_of_the_model_are_named()
    {
        PublishedModel other = PublishedModels.Make("llama").Add("score.weight", "", 2, PublishedModel.Width);
        Assert.Contains("'score.weight'", Assert.Throws<ModelFormatException>(() => ModelFile.Open(other.Folder(_folder, "other"))).Message);

        PublishedModel missing = PublishedModels.Make("llama, BF16, tied");
        missing.Config["tie_word_embeddings"] = false;
        Assert.Contains("'lm_head.weight'", Assert.Throws<ModelFormatException>(() => ModelFile.Open(missing.Folder(_folder, "missing"))).Message);

        // Tied wins over a second copy in the file; what nothing needs is passed over.
        PublishedModel tied = PublishedModels.Make("llama").Add("model.layers.0.self_attn.rotary_emb.inv_freq", "", 1, 8);
        tied.Config["tie_word_embeddings"] = true;
        using ModelFile file = ModelFile.Open(tied.Folder(_folder, "tied"));
        Assert.DoesNotContain("output.weight", file.TensorNames);
        Assert.DoesNotContain(file.TensorNames, name => name.Contains("inv_freq", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(SafetensorsType.F8_E4M3, "F8_E4M3")]
    [InlineData(SafetensorsType.I64, "I64")]
    public void A_type_that_is_not_run_is_named_with_its_tensor(SafetensorsType type, string name)
    {
        string folder = PublishedModels.Make("llama").Folder(_folder, "model");
        using (SafetensorsWriter writer = new(File.Create(Path.Combine(folder, "model.safetensors"))))
        {
            writer.AddTensor("model.embed_tokens.weight", type, 2, 4);
            writer.WriteTensor("model.embed_tokens.weight", new byte[type.Bits()]);
            writer.Finish();
        }

        string message = Assert.Throws<ModelFormatException>(() => ModelFile.Open(folder)).Message;
        Assert.Contains("'model.embed_tokens.weight'", message);
        Assert.Contains(name, message);
    }

    [Theory]
    [InlineData("../model.safetensors", "no plain file name")]
    [InlineData("/etc/passwd", "no plain file name")]
    [InlineData("a\\b", "no plain file name")]
    [InlineData("..", "no plain file name")]
    [InlineData("", "no plain file name")]
    public void An_index_reaches_no_other_folder(string file, string named)
    {
        string folder = PublishedModels.Make("llama").Folder(_folder, "model");
        _folder.Write("model/model.safetensors.index.json", Encoding.UTF8.GetBytes(new JsonObject { ["weight_map"] = new JsonObject { ["a"] = file } }.ToJsonString()));
        Assert.Contains(named, Assert.Throws<ModelFormatException>(() => ModelFile.Open(folder)).Message);
    }

    [Fact]
    public void An_index_that_does_not_go_with_the_files_is_refused()
    {
        string folder = PublishedModels.Make("llama").Folder(_folder, "model", files: 3);
        string index = Path.Combine(folder, "model.safetensors.index.json");
        string good = File.ReadAllText(index);

        File.WriteAllText(index, good.Replace("\"lm_head.weight\":\"model-0000", "\"lm_head.weight\":\"model-1000"));
        Assert.Throws<FileNotFoundException>(() => ModelFile.Open(folder));
        File.WriteAllText(index, good.Replace("lm_head.weight", "lm_head.bias"));
        Assert.Contains("'lm_head.bias'", Assert.Throws<ModelFormatException>(() => ModelFile.Open(folder)).Message);
        File.WriteAllText(index, "{}");
        Assert.Contains("'weight_map'", Assert.Throws<ModelFormatException>(() => ModelFile.Open(folder)).Message);
        File.WriteAllText(index, "[]");
        Assert.Throws<ModelFormatException>(() => ModelFile.Open(folder));
        File.Delete(index);
        Assert.Contains("index", Assert.Throws<ModelFormatException>(() => ModelFile.Open(folder)).Message);
    }

    [Fact]
    public void Missing_files_are_named()
    {
        string folder = PublishedModels.Make("llama").Folder(_folder, "model");
        File.Delete(Path.Combine(folder, "tokenizer.json"));
        using (ModelFile file = ModelFile.Open(folder))
            Assert.Contains("tokenizer.json", Assert.Throws<ModelFormatException>(() => file.Tokenizer).Message);
        File.Delete(Path.Combine(folder, "model.safetensors"));
        Assert.Contains(".safetensors", Assert.Throws<ModelFormatException>(() => ModelFile.Open(folder)).Message);
        folder = PublishedModels.Make("llama").Folder(_folder, "model");
        File.Delete(Path.Combine(folder, "config.json"));
        Assert.Contains("config.json", Assert.Throws<ModelFormatException>(() => ModelFile.Open(Path.Combine(folder, "model.safetensors"))).Message);
        Assert.Throws<FileNotFoundException>(() => ModelFile.Open(Path.Combine(folder, "none.safetensors")));
    }
}
