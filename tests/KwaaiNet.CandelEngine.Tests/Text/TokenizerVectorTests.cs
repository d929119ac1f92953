using System.Text;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.CandelEngine.Tests.Text;

/// <summary>Real vocabularies with ids that another implementation gives for the same texts.</summary>
[Trait("Category", "Tokenizers")]
public sealed class TokenizerVectorTests
{
    private const string Separator = "\n__ggml_vocab_test__\n";

    [Theory]
    [InlineData("llama-spm")]
    [InlineData("phi-3")]
    [InlineData("gpt-2")]
    [InlineData("llama-bpe")]
    [InlineData("qwen2")]
    [InlineData("starcoder")]
    [InlineData("deepseek-coder")]
    public void Ids_are_the_reference_implementations(string name)
    {
        string path = TestData.Require("tokenizers", $"ggml-vocab-{name}.gguf");
        using GgufFile file = GgufFile.Open(path);
        ITokenizer tokenizer = GgufTokenizer.Create(file.Metadata);
        string[] texts = Encoding.UTF8.GetString(File.ReadAllBytes(path + ".inp")).Split(Separator);
        string[] expected = File.ReadAllLines(path + ".out");
        Assert.True(texts.Length >= expected.Length && expected.Length > 40, $"{texts.Length} texts, {expected.Length} lines of ids");

        StringBuilder wrong = new();
        for (int i = 0; i < expected.Length; i++)
        {
            int[] ids = tokenizer.Encode(texts[i]);
            if (string.Join(' ', ids) != expected[i].Trim())
                wrong.AppendLine($"case {i} '{texts[i]}': {string.Join(' ', ids)}, expected {expected[i]}");
            if (tokenizer.Decode(ids) != texts[i])
                wrong.AppendLine($"case {i} '{texts[i]}' decodes as '{tokenizer.Decode(ids)}'");
        }

        Assert.True(wrong.Length == 0, wrong.ToString());
    }

    [Fact]
    public void A_real_models_prompt_is_the_reference_engines()
    {
        using ModelFile model = ModelFile.Open(TestData.Require("models", "stories260K-f32.gguf"));
        Assert.True(model.Tokenizer.AddBos);
        Assert.Equal([1, 403, 407, 261, 378], [model.Tokenizer.BosId!.Value, .. model.Tokenizer.Encode("Once upon a time")]);
        Assert.Null(model.ChatTemplate);
    }

    [Theory]
    [InlineData("llama-spm")]
    [InlineData("llama-bpe")]
    [InlineData("qwen2")]
    public void Every_token_of_a_real_vocabulary_comes_back_when_rendered(string name)
    {
        using GgufFile file = GgufFile.Open(TestData.Require("tokenizers", $"ggml-vocab-{name}.gguf"));
        ITokenizer tokenizer = GgufTokenizer.Create(file.Metadata);
        for (int id = 0; id < tokenizer.VocabularySize; id += 7)
        {
            string text = Encoding.UTF8.GetString(tokenizer.GetBytes(id, renderSpecial: true));
            // Half a character, or SentencePiece's byte tokens, cannot be written as text and read back.
            if (text.Contains('\uFFFD') || text.Length == 0)
                continue;
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, parseSpecial: true), renderSpecial: true));
        }
    }
}
