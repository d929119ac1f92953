using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Text;

/// <summary>Makes the tokenizer that a GGUF file describes.</summary>
public static class GgufTokenizer
{
    /// <summary>Reads <c>tokenizer.ggml.*</c>.</summary>
    /// <exception cref="Models.ModelFormatException">The file has no tokenizer, or one this engine does not know.</exception>
    public static ITokenizer Create(GgufMetadata metadata) => throw metadata.Problem("tokenizers are not read yet.");
}
