namespace KwaaiNet.CandelEngine.Text;

/// <summary>A model's own way of writing a conversation as a prompt (a Jinja template in the file's metadata). Safe for concurrent use.</summary>
public abstract class ChatTemplate
{
    /// <summary>The template's source, as the file has it.</summary>
    public abstract string Source { get; }

    /// <summary>Renders a conversation as text.</summary>
    /// <exception cref="ChatTemplateException">The template raised an error, went beyond its limits of time or output, or left nothing of what the conversation says.</exception>
    public abstract string Render(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true);

    /// <summary>Renders and tokenizes: control tokens come from the template only, never from what a turn's content says.</summary>
    /// <exception cref="ChatTemplateException">The template raised an error, went beyond its limits of time or output, or left nothing of what the conversation says.</exception>
    /// <exception cref="TokenizationException">What is said takes the tokenizer too long.</exception>
    public abstract int[] Encode(ITokenizer tokenizer, IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true);

    /// <summary>Renders a conversation with tools, documents and variables of the template's own.</summary>
    /// <param name="turns">The conversation.</param>
    /// <param name="options">What else the template is given.</param>
    /// <exception cref="ChatTemplateException">The template raised an error, went beyond its limits of time or output, or left nothing of what the conversation says.</exception>
    /// <remarks>A template of another kind than Jinja, which this may be, knows no more than the conversation.</remarks>
    public virtual string Render(IReadOnlyList<ChatTurn> turns, ChatTemplateOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Render(turns, options.AddGenerationPrompt);
    }

    /// <summary>Renders as <see cref="Render(IReadOnlyList{ChatTurn}, ChatTemplateOptions)"/> does, and tokenizes: control tokens come from the template only.</summary>
    /// <param name="tokenizer">The model's vocabulary.</param>
    /// <param name="turns">The conversation.</param>
    /// <param name="options">What else the template is given.</param>
    /// <exception cref="ChatTemplateException">The template raised an error, went beyond its limits of time or output, or left nothing of what the conversation says.</exception>
    /// <exception cref="TokenizationException">What is said takes the tokenizer too long.</exception>
    public virtual int[] Encode(ITokenizer tokenizer, IReadOnlyList<ChatTurn> turns, ChatTemplateOptions options)
    {
        ArgumentNullException.ThrowIfNull(options);
        return Encode(tokenizer, turns, options.AddGenerationPrompt);
    }

    /// <summary>
    /// Finds a message that the template leaves out of the prompt, as one without a branch for the role <c>tool</c> does: the model would
    /// answer as if it had not been sent.
    /// </summary>
    /// <param name="turns">The conversation, which the template accepts.</param>
    /// <param name="options">What else the template is given.</param>
    /// <returns>The index of the first such message; null when the prompt has something of every message that holds text.</returns>
    /// <exception cref="ChatTemplateException">The template refuses the conversation.</exception>
    /// <remarks>
    /// Renders the conversation a second time. A template that trims or merges messages, or leaves out earlier reasoning, drops none.
    /// Messages that call tools are not looked at, since some templates write the calls in place of what was said with them.
    /// </remarks>
    public int? FirstDroppedTurn(IReadOnlyList<ChatTurn> turns, ChatTemplateOptions options)
    {
        ArgumentNullException.ThrowIfNull(turns);
        ArgumentNullException.ThrowIfNull(options);
        return DroppedTurns.First(this, turns, options);
    }
}
