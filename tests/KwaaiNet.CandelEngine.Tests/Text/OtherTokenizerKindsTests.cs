using System.Text;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Tests.Gguf;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Tests.Text;

/// <summary>Unigram, WordPiece and Gemma 4's byte pairs, on vocabularies small enough to work out by hand.</summary>
[Trait("Category", "Tokenizers")]
public sealed class OtherTokenizerKindsTests
{
    [Theory]
    [InlineData("abc", "▁ab|c")]
    [InlineData("ab abc", "▁ab|▁ab|c")]
    [InlineData("  ab   c ", "▁ab|▁|c")]
    [InlineData("abéé!c", "▁ab|<unk>|c")]
    [InlineData("", "")]
    public void Unigram_takes_the_way_of_the_highest_sum(string text, string expected)
    {
        // ▁ab scores -2, its parts -1 and -1.5 in all less.
        ITokenizer tokenizer = Unigram("remove");
        Assert.Equal(expected, Texts(tokenizer, text));
    }

    [Fact]
    public void Unigram_maps_characters_as_its_normaliser_says()
    {
        // A double array that leads from its root by 'A' to the replacement "b".
        byte[] map = new byte[4 + (4 * 256)];
        BitConverter.TryWriteBytes(map, 4 * 256);
        Node(0, 0);
        Node('A', 'A' | 0x100 | (1u << 10));
        Node('A' ^ 1, 0x80000000);
        ITokenizer tokenizer = Unigram("remove", [.. map, (byte)'b', 0]);
        Assert.Equal("▁ab|c", Texts(tokenizer, "aAc"));

        void Node(int index, uint value) => BitConverter.TryWriteBytes(map.AsSpan(4 + (4 * index)), value);
    }

    [Fact]
    public void A_normaliser_that_makes_far_more_of_a_text_is_refused()
    {
        byte[] map = new byte[4 + (4 * 256)];
        BitConverter.TryWriteBytes(map, 4 * 256);
        Node(0, 0);
        Node('A', 'A' | 0x100 | (1u << 10));
        Node('A' ^ 1, 0x80000000);
        ITokenizer tokenizer = Unigram("remove", [.. map, .. Enumerable.Repeat((byte)'b', 1 << 20), 0]);
        Assert.Contains("bytes of one", Assert.Throws<ModelFormatException>(() => tokenizer.Encode(new string('A', 1 << 20))).Message);

        void Node(int index, uint value) => BitConverter.TryWriteBytes(map.AsSpan(4 + (4 * index)), value);
    }

    [Theory]
    [InlineData(new byte[] { 1, 2 })]
    [InlineData(new byte[] { 255, 255, 255, 255, 0 })]
    [InlineData(new byte[] { 4, 0, 0, 0, 0, 0, 0, 0 })]
    public void A_damaged_normaliser_is_refused(byte[] map) => Assert.Throws<ModelFormatException>(() => Unigram("remove", map));

    [Theory]
    [InlineData("Hello, WORLD!", "▁hello|▁,|▁wor|ld|▁!")]
    [InlineData("héllo", "▁hello")]
    [InlineData("helloworld xyz", "▁hello|wor|ld|[UNK]")]
    [InlineData("中hello", "▁中|▁hello")]
    public void WordPiece_spells_words_by_the_longest_tokens(string text, string expected)
    {
        ITokenizer tokenizer = SmallTokenizers.Open(writer =>
        {
            writer.Add("tokenizer.ggml.model", "bert");
            writer.AddArray("tokenizer.ggml.tokens", ["[UNK]", "[CLS]", "▁hello", "▁wor", "wor", "ld", "▁,", "▁!", "▁中"]);
            writer.AddArray<int>("tokenizer.ggml.token_type", [3, 3, 1, 1, 1, 1, 1, 1, 1]);
            writer.Add("tokenizer.ggml.unknown_token_id", 0u);
            writer.Add("tokenizer.ggml.cls_token_id", 1u);
        });
        Assert.Equal(expected, Texts(tokenizer, text));
        Assert.Equal(1, tokenizer.BosId);
    }

    [Theory]
    [InlineData("ab ab\n\n", "ab|▁ab|\n\n")]
    [InlineData("aé", "a|<0xC3>|<0xA9>")]
    public void Gemma4_merges_characters_and_falls_back_to_bytes(string text, string expected)
    {
        string[] tokens = ["a", "b", "▁", "ab", "▁ab", "\n", "\n\n", .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>")];
        ITokenizer tokenizer = SmallTokenizers.Open(writer =>
        {
            writer.Add("tokenizer.ggml.model", "gemma4");
            writer.AddArray("tokenizer.ggml.tokens", tokens);
            writer.AddArray<int>("tokenizer.ggml.token_type", [.. tokens.Select((_, id) => id < 7 ? 1 : 6)]);
            writer.AddArray("tokenizer.ggml.merges", ["a b", "▁ ab"]);
        });
        Assert.Equal(expected, Texts(tokenizer, text));
        Assert.Equal(text, tokenizer.Decode(tokenizer.Encode(text)));
    }

    [Fact]
    public void White_space_after_phi3s_special_tokens_goes()
    {
        ITokenizer tokenizer = Open("Phi-3 mini");
        Assert.Equal(tokenizer.Encode("<|im_start|>hello", parseSpecial: true), tokenizer.Encode("<|im_start|>\n hello", parseSpecial: true));
        ITokenizer other = Open("another");
        Assert.NotEqual(other.Encode("<|im_start|>hello", parseSpecial: true), other.Encode("<|im_start|>\n hello", parseSpecial: true));

        static ITokenizer Open(string name) => SmallTokenizers.Open(writer =>
        {
            SmallVocabulary.AddSentencePiece(writer);
            writer.Add("general.name", name);
        });
    }

    [Theory]
    [InlineData("<|User|>", true)]
    [InlineData("<tool_response>", true)]
    [InlineData("<｜User｜>", true)]
    [InlineData("[INST]", true)]
    [InlineData("<table>", false)]
    [InlineData("</td>", false)]
    [InlineData("    ", false)]
    [InlineData("ö", false)]
    public void A_user_defined_marker_is_found_only_where_the_template_puts_it(string token, bool isMarker)
    {
        ITokenizer tokenizer = SmallTokenizers.Open(writer =>
        {
            writer.Add("tokenizer.ggml.model", "llama");
            writer.AddArray("tokenizer.ggml.tokens", ["<unk>", "<s>", "</s>", token]);
            writer.AddArray<int>("tokenizer.ggml.token_type", [2, 3, 3, 4]);
            writer.AddArray<float>("tokenizer.ggml.scores", [0, 0, 0, 0]);
        });
        Assert.Equal(!isMarker, tokenizer.Encode("x" + token).Contains(3));
        Assert.Contains(3, tokenizer.Encode("x" + token, parseSpecial: true));
    }

    [Theory]
    [InlineData("tiny_aya", "1234567", "1|234|567")]
    [InlineData("superbpe", "a 1234", "a |1|234")]
    [InlineData("deepseek-v3", "12345ab 你好", "123|45|ab| |你好")]
    [InlineData("gpt-4o", "HelloWorld'll go", "Hello|World'll| go")]
    [InlineData("tekken", "HelloWorld 123", "Hello|World| |1|2|3")]
    [InlineData("kimi-k2", "你好hello𠀀", "你好|hello|𠀀")]
    [InlineData("bloom", "one, two", "one|,| two")]
    [InlineData("seed-coder", "a!!\nb", "a|!!|\n|b")]
    [InlineData("deepseek-llm", "word  ", "word|  ")]
    [InlineData("qwen35", "e\u0301a", "e\u0301a")]
    public void Splitters_cut_where_their_models_were_trained_to(string name, string text, string expected)
    {
        List<int> ends = [];
        PreTokenizerTable.Find(name)!.Split(text, ends);
        int start = 0;
        StringBuilder cut = new();
        foreach (int end in ends)
        {
            cut.Append(cut.Length > 0 ? "|" : "").Append(text, start, end - start);
            start = end;
        }

        Assert.Equal(expected, cut.ToString());
    }

    [Fact]
    public void No_splitter_takes_more_than_its_time_for_a_long_text()
    {
        // What is quadratic in the length takes minutes for these.
        const int Length = 200_000;
        string[] names = ["default", "gpt-2", "llama-bpe", "qwen2", "qwen35", "deepseek-llm", "deepseek-coder", "deepseek-v3", "falcon", "starcoder", "tekken", "gpt-4o", "tiny_aya",
            "superbpe", "kimi-k2", "bloom", "viking", "bailingmoe", "seed-coder", "exaone-moe", "afmoe", "youtu", "chameleon", "minicpm5", "gemma4"];
        foreach (string name in names)
        {
            foreach (char c in "a A1 !\n中")
            {
                List<int> ends = [];
                PreTokenizerTable.Find(name)!.Split(new string(c, Length) + "x", ends);
                Assert.Equal(Length + 1, ends[^1]);
            }
        }
    }

    private static ITokenizer Unigram(string kind, byte[]? map = null) => SmallTokenizers.Open(writer =>
    {
        writer.Add("tokenizer.ggml.model", "t5");
        writer.AddArray("tokenizer.ggml.tokens", ["<pad>", "</s>", "<unk>", "▁", "a", "b", "c", "▁a", "▁ab"]);
        writer.AddArray<int>("tokenizer.ggml.token_type", [3, 3, 2, 1, 1, 1, 1, 1, 1]);
        writer.AddArray<float>("tokenizer.ggml.scores", [0, 0, 0, -2, -2, -2, -2, -1.5f, -2]);
        writer.Add("tokenizer.ggml.remove_extra_whitespaces", kind == "remove");
        writer.Add("tokenizer.ggml.add_space_prefix", true);
        if (map is not null)
            writer.AddArray<byte>("tokenizer.ggml.precompiled_charsmap", map);
    });

    private static string Texts(ITokenizer tokenizer, string text) =>
        string.Join('|', tokenizer.Encode(text).Select(id => ((VocabularyTokenizer)tokenizer).Vocabulary.Texts[id]));
}
