using System.Text;
using CsCheck;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.HuggingFace;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Tests.Text.HuggingFace;

/// <summary>Real vocabularies, written as <c>tokenizer.json</c>, with ids that another implementation gives for the same texts.</summary>
[Trait("Category", "Tokenizers")]
public sealed class HuggingFaceVectorTests
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
        ITokenizer tokenizer = Open(name, out string path);
        string[] texts = Encoding.UTF8.GetString(File.ReadAllBytes(path + ".inp")).Split(Separator);
        string[] expected = File.ReadAllLines(path + ".out");
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

    [Theory]
    [InlineData("llama-spm")]
    [InlineData("llama-bpe")]
    [InlineData("qwen2")]
    [InlineData("deepseek-coder")]
    public void Random_text_gets_the_ids_of_the_same_vocabulary_in_a_gguf(string name)
    {
        ITokenizer tokenizer = Open(name, out string path);
        using GgufFile file = GgufFile.Open(path);
        ITokenizer gguf = GgufTokenizer.Create(file.Metadata);
        Gen<string> text = Gen.OneOf(
            Gen.Char.Select(c => c.ToString()),
            Gen.Int[0x20, 0x7E].Select(c => ((char)c).ToString()),
            Gen.Int[0x10000, 0x10FFFF].Select(char.ConvertFromUtf32),
            Gen.Int[0, 11].Select(i => new[] { " ", "\n", "\r\n", "\t", "  ", "<|im_end|>", "<s>", "<0x41>", " hello world", "'ll", "'S", "1234567" }[i])).Array[0, 30].Select(string.Concat);
        // CsCheck prints the seed of a failure.
        text.Sample(words => tokenizer.Encode(words).SequenceEqual(gguf.Encode(words)) && tokenizer.Encode(words, parseSpecial: true).SequenceEqual(gguf.Encode(words, parseSpecial: true)), iter: 1000);
    }

    private static HuggingFaceTokenizer Open(string name, out string path)
    {
        path = TestData.Require("tokenizers", $"ggml-vocab-{name}.gguf");
        using GgufFile file = GgufFile.Open(path);
        using TempFolder folder = new();
        return HuggingFaceTokenizer.Open(folder.Write("tokenizer.json", Encoding.UTF8.GetBytes(TokenizerJsonText.From(file.Metadata))));
    }
}
