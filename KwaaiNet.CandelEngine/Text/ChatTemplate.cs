namespace KwaaiNet.CandelEngine.Text;

/// <summary>A model's own way of writing a conversation as a prompt (a Jinja template in the file's metadata). Safe for concurrent use.</summary>
public abstract class ChatTemplate
{
    /// <summary>The template's source, as the file has it.</summary>
    public abstract string Source { get; }

    /// <summary>Renders a conversation as text.</summary>
    /// <exception cref="ChatTemplateException">The template raised an error, or went beyond its limits of time or output.</exception>
    public abstract string Render(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true);

    /// <summary>Renders and tokenizes: control tokens come from the template only, never from what a turn's content says.</summary>
    /// <exception cref="ChatTemplateException">The template raised an error, or went beyond its limits of time or output.</exception>
    public abstract int[] Encode(ITokenizer tokenizer, IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true);
}
