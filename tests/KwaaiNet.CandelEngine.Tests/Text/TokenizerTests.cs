using System.Text;
using CsCheck;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Tests.Gguf;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.CandelEngine.Tests.Text;

[Trait("Category", "Tokenizers")]
public sealed class TokenizerTests
{
    // Text of any script and plane, white space and what looks like control tokens included; lone surrogates, too.
    private static readonly Gen<string> s_text = Gen.OneOf(
        Gen.Char.Select(c => c.ToString()),
        Gen.Int[0x20, 0x7E].Select(c => ((char)c).ToString()),
        Gen.Int[0x10000, 0x10FFFF].Select(char.ConvertFromUtf32),
        Gen.Int[0, 9].Select(i => new[] { " ", "\n", "\r\n", "\t", "  ", "<|im_end|>", "<s>", "<0x41>", "hello world", "'ll" }[i])).Array[0, 30].Select(string.Concat);

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt-2")]
    [InlineData("llama-bpe")]
    [InlineData("qwen2")]
    [InlineData("starcoder")]
    [InlineData("deepseek-coder")]
    [InlineData("default")]
    public void Any_text_comes_back(string kind)
    {
        ITokenizer tokenizer = SmallTokenizers.Create(kind);
        // CsCheck prints the seed of a failure. SentencePiece cannot tell U+2581 from a space: it writes one for the other.
        s_text.Sample(
            text =>
            {
                int[] ids = tokenizer.Encode(text);
                string expected = Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(kind == "llama" ? text.Replace('\u2581', ' ') : text));
                StreamingDecoder decoder = tokenizer.CreateStreamingDecoder();
                StringBuilder streamed = new();
                foreach (int id in ids)
                    streamed.Append(decoder.Append(id));
                streamed.Append(decoder.Flush());
                string prefix = kind == "llama" && text.Length > 0 ? " " : "";
                return tokenizer.Decode(ids) == expected
                    && streamed.ToString() == prefix + expected
                    && Array.TrueForAll(ids, id => id >= 0 && id < tokenizer.VocabularySize && !tokenizer.EndOfGenerationIds.Contains(id));
            },
            iter: 2000);
    }

    [Fact]
    public void SentencePiece_merges_by_score_and_falls_back_to_bytes()
    {
        ITokenizer tokenizer = SmallTokenizers.Create("llama");
        Assert.Equal("\u2581hello|\u2581world", Pieces(tokenizer, "hello world"));
        Assert.Equal("\u2581|<0xC3>|<0xA9>|\n|<0x21>", Pieces(tokenizer, "é\n!"));
        Assert.Equal([], tokenizer.Encode(""));
        Assert.True(tokenizer.AddBos);
        Assert.Equal([2, SmallVocabulary.ImEnd], tokenizer.EndOfGenerationIds.Order());
    }

    [Theory]
    [InlineData("gpt-2")]
    [InlineData("llama-bpe")]
    public void Byte_level_merges_inside_words(string pre)
    {
        ITokenizer tokenizer = SmallTokenizers.Create(pre);
        Assert.Equal("hello| world|!", Texts(tokenizer, "hello world!"));
        Assert.Equal("aaaaaaaa|aa|a", Texts(tokenizer, "aaaaaaaaaaa"));
        Assert.False(tokenizer.AddBos);
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt-2")]
    public void Control_tokens_are_found_only_where_they_are_asked_for(string kind)
    {
        ITokenizer tokenizer = SmallTokenizers.Create(kind);
        int[] trusted = tokenizer.Encode("<|im_start|>hello<|im_end|>", parseSpecial: true);
        int[] plain = tokenizer.Encode("<|im_start|>hello<|im_end|>");

        Assert.Contains(trusted[^1], tokenizer.EndOfGenerationIds);
        Assert.DoesNotContain(plain, id => tokenizer.EndOfGenerationIds.Contains(id) || id == trusted[0]);
        Assert.Equal("hello", tokenizer.Decode(trusted));
        Assert.Equal("<|im_start|>hello<|im_end|>", tokenizer.Decode(trusted, renderSpecial: true));
        Assert.Equal("<|im_start|>hello<|im_end|>", tokenizer.Decode(plain));
    }

    [Theory]
    [InlineData("llama")]
    [InlineData("gpt-2")]
    [InlineData("llama-bpe")]
    [InlineData("default")]
    public void A_long_text_takes_time_in_proportion(string kind)
    {
        // What is quadratic in the length takes minutes for these.
        const int Length = 300_000;
        ITokenizer tokenizer = SmallTokenizers.Create(kind);
        foreach (string text in (string[])[new('a', Length), new(' ', Length), new('<', Length), string.Concat(Enumerable.Repeat("hello world ", Length / 12)), new('\n', Length), new('1', Length)])
            Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text, parseSpecial: true)));
    }

    [Fact]
    public void Ids_outside_the_vocabulary_give_nothing()
    {
        ITokenizer tokenizer = SmallTokenizers.Create("llama");
        Assert.True(tokenizer.GetBytes(-1).IsEmpty);
        Assert.True(tokenizer.GetBytes(tokenizer.VocabularySize).IsEmpty);
        Assert.Equal("", tokenizer.Decode([int.MaxValue, int.MinValue]));
    }

    [Fact]
    public void A_kind_or_a_splitter_that_is_not_known_is_named()
    {
        Assert.Contains("'klingon'", Assert.Throws<ModelFormatException>(() => SmallTokenizers.Create("klingon")).Message);
        Assert.Contains("'rwkv'", Assert.Throws<ModelFormatException>(() => SmallTokenizers.Open(writer => writer.Add("tokenizer.ggml.model", "rwkv"))).Message);
        Assert.Contains("tokenizer.ggml.model", Assert.Throws<ModelFormatException>(() => SmallTokenizers.Open(_ => { })).Message);
    }

    [Theory]
    [InlineData("types")]
    [InlineData("scores")]
    [InlineData("bos")]
    [InlineData("no tokens")]
    [InlineData("merge")]
    public void A_vocabulary_that_contradicts_itself_is_refused(string lie) => Assert.Throws<ModelFormatException>(() => SmallTokenizers.Open(writer =>
    {
        writer.Add("tokenizer.ggml.model", lie == "merge" ? "gpt2" : "llama");
        if (lie != "no tokens")
            writer.AddArray("tokenizer.ggml.tokens", ["a", "b"]);
        writer.AddArray<int>("tokenizer.ggml.token_type", lie == "types" ? [1] : [1, 1]);
        writer.AddArray<float>("tokenizer.ggml.scores", lie == "scores" ? [float.NaN, 0] : [0, 0]);
        writer.Add("tokenizer.ggml.bos_token_id", lie == "bos" ? 2u : 0u);
        writer.AddArray("tokenizer.ggml.merges", ["ab"]);
    }));

    private static string Pieces(ITokenizer tokenizer, string text) =>
        string.Join('|', tokenizer.Encode(text).Select(id => ((CandelEngine.Text.Tokenization.VocabularyTokenizer)tokenizer).Vocabulary.Texts[id]));

    private static string Texts(ITokenizer tokenizer, string text) => string.Join('|', tokenizer.Encode(text).Select(id => Encoding.UTF8.GetString(tokenizer.GetBytes(id))));
}
