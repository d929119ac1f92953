using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Text;

/// <summary>The chat template of a GGUF file.</summary>
public static class GgufChatTemplate
{
    /// <summary>Reads <c>tokenizer.chat_template</c>; null when the file has none.</summary>
    public static ChatTemplate? Create(GgufMetadata metadata, Func<ITokenizer> tokenizer) => null;
}
