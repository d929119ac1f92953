using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Makes the tokenizer that a GGUF file describes.</summary>
public static class GgufTokenizer
{
    private const string ModelKey = "tokenizer.ggml.model";
    private const string PreKey = "tokenizer.ggml.pre";

    /// <summary>Reads <c>tokenizer.ggml.*</c>.</summary>
    /// <param name="metadata">The metadata of a file that is still open; it may be closed afterwards.</param>
    /// <exception cref="Files.ModelFormatException">The file has no tokenizer, one this engine does not know, or one that contradicts itself.</exception>
    public static ITokenizer Create(GgufMetadata metadata)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        string? model = metadata.GetString(ModelKey);
        if (model is null)
            metadata.ThrowMissing(ModelKey);
        return model switch
        {
            "llama" => new SentencePieceTokenizer(Vocabulary.Read(metadata)),
            "gpt2" => CreateByPairs(metadata, metadata.GetString(PreKey) ?? "default"),
            "gemma4" => CreateByPairs(metadata, "gemma4"),
            "t5" => new UnigramTokenizer(Vocabulary.Read(metadata)),
            "bert" => new WordPieceTokenizer(Vocabulary.Read(metadata)),
            _ => throw metadata.Problem(
                $"the tokenizer is of the kind '{model}'; this engine knows 'llama' (SentencePiece), 'gpt2' and 'gemma4' (byte pairs), 't5' (unigram) and 'bert' (WordPiece)."),
        };
    }

    // A splitter is not guessed: with a wrong one the model still answers, only worse, and nobody would know why.
    private static ByteLevelBpeTokenizer CreateByPairs(GgufMetadata metadata, string pre)
    {
        PreTokenizer words = PreTokenizerTable.Find(pre)
            ?? throw metadata.Problem($"the tokenizer splits words as '{pre}', which this engine does not know. Take a model with a tokenizer it knows, or ask for this one.");
        return new ByteLevelBpeTokenizer(Vocabulary.Read(metadata), words);
    }
}
