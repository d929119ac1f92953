using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Tests.Gguf;

/// <summary>Vocabularies small enough to read, made here: no model's data is needed.</summary>
internal static class SmallVocabulary
{
    private static readonly string[] s_control = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"];
    private static readonly string[] s_words = ["\u2581", "h", "e", "l", "o", "w", "r", "d", "he", "ll", "hell", "hello", "\u2581hello", "wo", "\u2581wo", "\u2581wor", "ld", "\u2581world", "\n", "user", "us", "er", "u", "s"];

    /// <summary>Tokens of the SentencePiece vocabulary: control tokens, 256 bytes, words.</summary>
    public static int Count => s_control.Length + 256 + s_words.Length;

    public const int Bos = 1;
    public const int ImStart = 3;
    public const int ImEnd = 4;

    public static void AddSentencePiece(GgufWriter writer)
    {
        string[] tokens = [.. s_control, .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), .. s_words];
        int[] types = [2, 3, 3, 3, 3, .. Enumerable.Repeat(6, 256), .. Enumerable.Repeat(1, s_words.Length)];
        float[] scores = [.. tokens.Select((_, id) => (float)-id)];
        writer.Add("tokenizer.ggml.model", "llama");
        writer.AddArray("tokenizer.ggml.tokens", tokens);
        writer.AddArray<int>("tokenizer.ggml.token_type", types);
        writer.AddArray<float>("tokenizer.ggml.scores", scores);
        writer.Add("tokenizer.ggml.bos_token_id", 1u);
        writer.Add("tokenizer.ggml.eos_token_id", 2u);
        writer.Add("tokenizer.ggml.unknown_token_id", 0u);
    }

    /// <summary>A byte-level vocabulary: 256 bytes, some merges, two control tokens at the end.</summary>
    public static void AddByteLevel(GgufWriter writer, string pre)
    {
        string[] merges = ["h e", "l l", "he ll", "hell o", "Ġ w", "o r", "Ġw or", "l d", "Ġwor ld", "a a", "aa aa", "aaaa aaaa"];
        string[] tokens = [.. Enumerable.Range(0, 256).Select(value => ByteAlphabet.ToCharacter((byte)value).ToString()), .. merges.Select(merge => merge.Replace(" ", "")), "<|im_start|>", "<|im_end|>"];
        int[] types = [.. Enumerable.Repeat(1, tokens.Length - 2), 3, 3];
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", pre);
        writer.AddArray("tokenizer.ggml.tokens", tokens);
        writer.AddArray<int>("tokenizer.ggml.token_type", types);
        writer.AddArray("tokenizer.ggml.merges", merges);
        writer.Add("tokenizer.ggml.eos_token_id", (uint)tokens.Length - 1);
    }

    /// <summary>A file of nothing but a vocabulary.</summary>
    public static byte[] File(Action<GgufWriter> add)
    {
        using MemoryStream stream = new();
        using GgufWriter writer = new(stream, leaveOpen: true);
        writer.Add("general.architecture", "llama");
        add(writer);
        writer.Finish();
        return stream.ToArray();
    }
}
