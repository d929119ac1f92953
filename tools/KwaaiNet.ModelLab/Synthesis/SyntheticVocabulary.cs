using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.ModelLab.Synthesis;

/// <summary>The smallest vocabulary that engines take for a SentencePiece one: control tokens, every byte, a few letters.</summary>
internal static class SyntheticVocabulary
{
    private static readonly string[] s_control = ["<unk>", "<s>", "</s>"];
    private static readonly string[] s_pieces = ["\u2581", .. Enumerable.Range('a', 26).Select(letter => ((char)letter).ToString()), "\u2581a", "\u2581t"];

    /// <summary>Tokens.</summary>
    public const int Size = 288;

    /// <summary>Writes the vocabulary's metadata.</summary>
    public static void Add(GgufWriter writer)
    {
        string[] tokens = [.. s_control, .. Enumerable.Range(0, 256).Select(value => $"<0x{value:X2}>"), .. s_pieces];
        writer.Add("tokenizer.ggml.model", "llama");
        writer.Add("tokenizer.ggml.pre", "default");
        writer.AddArray("tokenizer.ggml.tokens", tokens);
        writer.AddArray<float>("tokenizer.ggml.scores", [.. tokens.Select((_, id) => (float)-id)]);
        // GGUF's token types: 2 unknown, 3 control, 6 a byte, 1 text.
        writer.AddArray<int>("tokenizer.ggml.token_type", [2, 3, 3, .. Enumerable.Repeat(6, 256), .. Enumerable.Repeat(1, s_pieces.Length)]);
        writer.Add("tokenizer.ggml.bos_token_id", 1u);
        writer.Add("tokenizer.ggml.eos_token_id", 2u);
        writer.Add("tokenizer.ggml.unknown_token_id", 0u);
    }
}
