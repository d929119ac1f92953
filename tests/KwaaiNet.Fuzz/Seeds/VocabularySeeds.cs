using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Text.Tokenization;
using KwaaiNet.Fuzz.Mutation;

namespace KwaaiNet.Fuzz.Seeds;

/// <summary>Vocabularies of a few hundred tokens in files of nothing else, one for each kind of tokenizer.</summary>
internal static class VocabularySeeds
{
    private static readonly string[] s_pre = ["llama-bpe", "qwen2", "gpt-2", "deepseek-llm", "tekken", "smollm"];
    private static readonly string[] s_control = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"];
    private static readonly string[] s_words = ["\u2581", "h", "e", "l", "o", "w", "r", "d", "he", "ll", "hell", "hello", "\u2581hello", "wo", "\u2581wo", "ld", "\n", "\ud83d\ude00", "1", "12"];
    private static readonly string[] s_merges = ["h e", "l l", "he ll", "hell o", "\u0120 w", "o r", "\u0120w or", "l d", "1 2", "a a", "aa aa"];

    public static IReadOnlyList<FuzzSeed> All() =>
    [
        GgufSeeds.OfMetadata("SentencePiece", writer => AddSentencePiece(writer, "llama", bytes: true)),
        GgufSeeds.OfMetadata("SentencePiece without bytes", writer => AddSentencePiece(writer, "llama", bytes: false)),
        GgufSeeds.OfMetadata("unigram", writer => AddSentencePiece(writer, "t5", bytes: false)),
        GgufSeeds.OfMetadata("WordPiece", writer => AddSentencePiece(writer, "bert", bytes: false)),
        .. s_pre.Select(pre => GgufSeeds.OfMetadata($"byte-level, {pre}", writer => AddByteLevel(writer, pre))),
    ];

    private static void AddSentencePiece(GgufWriter writer, string model, bool bytes)
    {
        string[] tokens = [.. s_control, .. bytes ? Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>") : [], .. s_words];
        int[] types = [2, 3, 3, 3, 4, .. Enumerable.Repeat(6, tokens.Length - s_control.Length - s_words.Length), .. Enumerable.Repeat(1, s_words.Length)];
        writer.Add("tokenizer.ggml.model", model);
        writer.AddArray("tokenizer.ggml.tokens", tokens);
        writer.AddArray<int>("tokenizer.ggml.token_type", types);
        writer.AddArray<float>("tokenizer.ggml.scores", [.. tokens.Select((_, id) => (float)-id)]);
        writer.Add("tokenizer.ggml.bos_token_id", 1u);
        writer.Add("tokenizer.ggml.eos_token_id", 2u);
        writer.Add("tokenizer.ggml.unknown_token_id", 0u);
        writer.Add("tokenizer.ggml.add_bos_token", true);
        writer.Add("tokenizer.ggml.add_eos_token", false);
        writer.Add("tokenizer.ggml.add_space_prefix", true);
        writer.Add("tokenizer.ggml.remove_extra_whitespaces", true);
        writer.AddArray<byte>("tokenizer.ggml.precompiled_charsmap", [8, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 65, 0]);
        AddTemplate(writer);
    }

    private static void AddByteLevel(GgufWriter writer, string pre)
    {
        string[] tokens = [.. Enumerable.Range(0, 256).Select(value => ByteAlphabet.ToCharacter((byte)value).ToString()), .. s_merges.Select(merge => merge.Replace(" ", "")), "<|im_start|>", "<|im_end|>"];
        writer.Add("tokenizer.ggml.model", "gpt2");
        writer.Add("tokenizer.ggml.pre", pre);
        writer.AddArray("tokenizer.ggml.tokens", tokens);
        writer.AddArray<int>("tokenizer.ggml.token_type", [.. Enumerable.Repeat(1, tokens.Length - 2), 3, 4]);
        writer.AddArray("tokenizer.ggml.merges", s_merges);
        writer.Add("tokenizer.ggml.eos_token_id", (uint)tokens.Length - 1);
        writer.Add("tokenizer.ggml.eot_token_id", (uint)tokens.Length - 2);
        AddTemplate(writer);
    }

    private static void AddTemplate(GgufWriter writer) =>
        writer.Add("tokenizer.chat_template", "{{ bos_token }}{% for m in messages %}<|im_start|>{{ m.role + '\\n' + m.content }}<|im_end|>{% endfor %}");
}
