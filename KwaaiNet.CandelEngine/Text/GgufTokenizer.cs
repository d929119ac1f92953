using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text;

/// <summary>Makes the tokenizer that a GGUF file describes.</summary>
public static class GgufTokenizer
{
    private const string ModelKey = "tokenizer.ggml.model";
    private const string PreKey = "tokenizer.ggml.pre";

    /// <summary>Reads <c>tokenizer.ggml.*</c>.</summary>
    /// <param name="metadata">The metadata of a file that is still open; it may be closed afterwards.</param>
    /// <exception cref="Models.ModelFormatException">The file has no tokenizer, one this engine does not know, or one that contradicts itself.</exception>
    public static ITokenizer Create(GgufMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        string? model = metadata.GetString(ModelKey);
        if (model is null)
            metadata.ThrowMissing(ModelKey);
        return model switch
        {
            "llama" => new SentencePieceTokenizer(Vocabulary.Read(metadata)),
            "gpt2" => CreateByteLevel(metadata),
            _ => throw metadata.Problem($"the tokenizer is of the kind '{model}'; this engine knows 'llama' (SentencePiece) and 'gpt2' (byte-level BPE)."),
        };
    }

    private static ByteLevelBpeTokenizer CreateByteLevel(GgufMetadata metadata)
    {
        string pre = metadata.GetString(PreKey) ?? "default";
        PreTokenizer words = PreTokenizer.Find(pre)
            ?? throw metadata.Problem($"the tokenizer splits words as '{pre}', which this engine does not know. Take a model with a tokenizer it knows, or ask for this one.");
        // Llama 3 takes a word that is a token as it stands, whatever the merges say, and starts every prompt with its BOS.
        bool llama3 = pre is "llama-bpe" or "llama3" or "llama-v3";
        return new ByteLevelBpeTokenizer(Vocabulary.Read(metadata), words, wholeWordsFirst: llama3, addBosByDefault: llama3);
    }
}
