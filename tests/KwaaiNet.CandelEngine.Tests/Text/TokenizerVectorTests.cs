using System.Text;
using CsCheck;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Tests.Text;

/// <summary>Real vocabularies with ids that another implementation gives for the same texts.</summary>
[Trait("Category", "Tokenizers")]
public sealed class TokenizerVectorTests
{
    private const string Separator = "\n__ggml_vocab_test__\n";

    private static readonly string[] s_expected = ["llama-spm", "phi-3", "gpt-2", "llama-bpe", "qwen2", "starcoder", "deepseek-coder"];

    /// <summary>The vocabularies that must be there, and any other with vectors that somebody has put beside them.</summary>
    public static TheoryData<string> Names()
    {
        IEnumerable<string> found = TestData.TryFind("tokenizers") is { } folder
            ? Directory.EnumerateFiles(folder, "ggml-vocab-*.gguf.out").Select(path => Path.GetFileName(path)["ggml-vocab-".Length..^".gguf.out".Length])
            : [];
        return [.. s_expected.Union(found).Order(StringComparer.Ordinal)];
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Ids_are_the_reference_implementations(string name)
    {
        string path = TestData.Require("tokenizers", $"ggml-vocab-{name}.gguf");
        Assert.SkipUnless(File.Exists(path + ".inp"), $"The test data has no inputs for {name}.");
        using GgufFile file = GgufFile.Open(path);
        ITokenizer tokenizer = GgufTokenizer.Create(file.Metadata);
        // WordPiece forgets case and accents, unigram the characters it has no token for.
        bool comesBack = file.Metadata.GetString("tokenizer.ggml.model") is not ("bert" or "t5");
        string[] texts = Encoding.UTF8.GetString(File.ReadAllBytes(path + ".inp")).Split(Separator);
        string[] expected = File.ReadAllLines(path + ".out");
        Assert.True(texts.Length >= expected.Length && expected.Length > 40, $"{texts.Length} texts, {expected.Length} lines of ids");

        StringBuilder wrong = new();
        for (int i = 0; i < expected.Length; i++)
        {
            int[] ids = tokenizer.Encode(texts[i]);
            if (string.Join(' ', ids) != expected[i].Trim())
                wrong.AppendLine($"case {i} '{texts[i]}': {string.Join(' ', ids)}, expected {expected[i]}");
            if (comesBack && tokenizer.Decode(ids) != texts[i])
                wrong.AppendLine($"case {i} '{texts[i]}' decodes as '{tokenizer.Decode(ids)}'");
        }

        Assert.True(wrong.Length == 0, wrong.ToString());
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void Random_text_comes_back(string name)
    {
        using GgufFile file = GgufFile.Open(TestData.Require("tokenizers", $"ggml-vocab-{name}.gguf"));
        string? model = file.Metadata.GetString("tokenizer.ggml.model");
        Assert.SkipWhen(model is "bert" or "t5", "This kind of tokenizer forgets some of the text by design.");
        ITokenizer tokenizer = GgufTokenizer.Create(file.Metadata);
        // SentencePiece cannot tell U+2581 from a space: it writes one for the other. CsCheck prints the seed of a failure.
        RandomText.Gen.Sample(
            text =>
            {
                text = Spellable(name, text);
                return tokenizer.Decode(tokenizer.Encode(text)) == (model == "gpt2" ? text : text.Replace('\u2581', ' '));
            },
            iter: 10_000);
    }

    // Without Falcon's missing control characters: that vocabulary has no token for those bytes.
    private static string Spellable(string name, string text) => name == "falcon" ? string.Concat(text.Where(c => !char.IsControl(c) || c is '\n' or '\r' or '\t')) : text;

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
