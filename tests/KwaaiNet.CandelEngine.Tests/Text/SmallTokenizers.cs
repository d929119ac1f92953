using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Tests.Gguf;
using KwaaiNet.CandelEngine.Text;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Tests.Text;

/// <summary>Tokenizers over the vocabularies made by the tests.</summary>
internal static class SmallTokenizers
{
    /// <summary><c>llama</c> for SentencePiece, else the name of a pre-tokenizer.</summary>
    public static ITokenizer Create(string kind) => Open(writer =>
    {
        if (kind == "llama")
            SmallVocabulary.AddSentencePiece(writer);
        else
            SmallVocabulary.AddByteLevel(writer, kind);
    });

    public static ITokenizer Open(Action<GgufWriter> add)
    {
        using TempFolder folder = new();
        using GgufFile file = GgufFile.Open(folder.Write("vocabulary.gguf", SmallVocabulary.File(add)));
        return GgufTokenizer.Create(file.Metadata);
    }
}
