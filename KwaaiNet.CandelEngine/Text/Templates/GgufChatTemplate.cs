using KwaaiNet.CandelEngine.Gguf;

namespace KwaaiNet.CandelEngine.Text.Templates;

/// <summary>Makes the chat template that a GGUF file describes.</summary>
public static class GgufChatTemplate
{
    /// <summary>Reads <c>tokenizer.chat_template</c>, and <c>tokenizer.chat_template.tool_use</c> for conversations with tools; null when the file has none.</summary>
    /// <param name="metadata">The metadata of a file that is still open; it may be closed afterwards.</param>
    /// <param name="time">The clock a template may read; the system's when null.</param>
    /// <exception cref="Files.ModelFormatException">The value is no string, or no template: the message has line and column. Or the file's token list cannot be read.</exception>
    public static ChatTemplate? Create(GgufMetadata metadata, TimeProvider? time = null)
    {
        ArgumentNullException.ThrowIfNull(metadata);
        if (metadata.GetString("tokenizer.chat_template") is not { } source)
            return null;
        string[]? tokens = metadata.GetArray("tokenizer.ggml.tokens")?.ToStrings();
        try
        {
            return new JinjaChatTemplate(source, TextOf("bos"), TextOf("eos"), time ?? TimeProvider.System, metadata.GetString("tokenizer.chat_template.tool_use"))
            {
                Tokens = new Dictionary<string, string> { ["unk_token"] = TextOf("unknown"), ["pad_token"] = TextOf("padding") },
            };
        }
        catch (ChatTemplateException e)
        {
            throw metadata.Problem($"{e.Message} Take another conversion of the model, whose 'tokenizer.chat_template' is whole.");
        }

        string TextOf(string name) =>
            metadata.GetInt32($"tokenizer.ggml.{name}_token_id") is int id && id >= 0 && id < tokens?.Length ? tokens[id] : "";
    }
}
