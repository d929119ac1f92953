using System.Text.Json;
using KwaaiNet.CandelEngine.Text.Jinja;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text.Templates;

/// <summary>A chat template written in Jinja, as Hugging Face's libraries render them.</summary>
/// <remarks>
/// What a turn says is marked character by character, through every filter and method, so that the tokenizer finds control tokens in the
/// template's own text only. Ordinary text is tokenized as one, across the border between template and turn, as the model was trained.
/// </remarks>
internal sealed class JinjaChatTemplate : ChatTemplate
{
    private static readonly ChatTemplateOptions s_plain = new();
    private static readonly ChatTemplateOptions s_finished = new() { AddGenerationPrompt = false };

    private readonly JinjaTemplate _template;
    private readonly JinjaTemplate? _toolTemplate;
    private readonly string _bos;
    private readonly string _eos;
    private readonly TimeProvider _time;

    /// <param name="source">The template's source.</param>
    /// <param name="bos">Text of the beginning-of-sequence token; empty when there is none.</param>
    /// <param name="eos">Text of the end-of-sequence token; empty when there is none.</param>
    /// <param name="time">The clock templates may read.</param>
    /// <param name="toolSource">The source of the template for conversations with tools; null: the same one.</param>
    /// <exception cref="ChatTemplateException">A source is not a template; the message has line and column.</exception>
    public JinjaChatTemplate(string source, string bos, string eos, TimeProvider time, string? toolSource = null)
    {
        Source = source;
        _bos = bos;
        _eos = eos;
        _time = time;
        // Parsed here, where the model is opened: whoever has it should hear of a template that is none then, not at the first chat.
        _template = JinjaTemplate.Parse(source);
        _toolTemplate = toolSource is null ? null : JinjaTemplate.Parse(toolSource);
    }

    public override string Source { get; }

    /// <summary>Further special tokens by the names templates know them by, such as <c>unk_token</c>.</summary>
    public IReadOnlyDictionary<string, string> Tokens { get; init; } = new Dictionary<string, string>();

    public override string Render(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true) => Render(turns, addGenerationPrompt ? s_plain : s_finished);

    public override string Render(IReadOnlyList<ChatTurn> turns, ChatTemplateOptions options) => RenderMarked(turns, options).Text;

    public override int[] Encode(ITokenizer tokenizer, IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true) =>
        Encode(tokenizer, turns, addGenerationPrompt ? s_plain : s_finished);

    public override int[] Encode(ITokenizer tokenizer, IReadOnlyList<ChatTurn> turns, ChatTemplateOptions options)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        JinjaText prompt = RenderMarked(turns, options);
        int[] ids = tokenizer is IMarkedTextTokenizer own ? own.Encode(new MarkedText(prompt.Text, prompt.UserMarks)) : EncodeInParts(tokenizer, prompt);
        return tokenizer is { AddBos: true, BosId: int bos } && (ids.Length == 0 || ids[0] != bos) ? [bos, .. ids] : ids;
    }

    /// <summary>For tokenizers that cannot take marks: template and turns are tokenized apart.</summary>
    private static int[] EncodeInParts(ITokenizer tokenizer, JinjaText prompt)
    {
        List<int> ids = [];
        for (int start = 0, end; start < prompt.Length; start = end)
        {
            bool user = IsUser(start);
            for (end = start + 1; end < prompt.Length && IsUser(end) == user;)
                end++;
            ids.AddRange(tokenizer.Encode(prompt.Text[start..end], parseSpecial: !user));
        }

        return [.. ids];

        bool IsUser(int index) => prompt.UserMarks is { } marks && marks[index];
    }

    private JinjaText RenderMarked(IReadOnlyList<ChatTurn> turns, ChatTemplateOptions options)
    {
        ArgumentNullException.ThrowIfNull(turns);
        ArgumentNullException.ThrowIfNull(options);
        JinjaConversation asObjects = new(argumentsAsText: false);
        JinjaList messages = asObjects.Messages(turns);
        JinjaText prompt;
        try
        {
            prompt = RenderMarked(messages, options);
        }
        catch (ChatTemplateException) when (asObjects.HasArguments)
        {
            // Most templates take a tool call's arguments as an object, some as the string of JSON that OpenAI's wire has.
            prompt = RenderMarked(new JinjaConversation(argumentsAsText: true).Messages(turns), options);
        }

        return turns.Any(DroppedTurns.HasContent) && IsEmpty(prompt.Text)
            ? throw new ChatTemplateException("It leaves nothing of the conversation in the prompt: the template in the model's file is empty, or made for something else.")
            : prompt;
    }

    private JinjaText RenderMarked(JinjaList messages, ChatTemplateOptions options)
    {
        Dictionary<string, object?> names = new(StringComparer.Ordinal);
        foreach ((string name, JsonElement value) in options.Variables)
            names[name] = JinjaConversation.ToValue(value);
        foreach ((string name, string token) in Tokens)
            names[name] = JinjaText.Trusted(token);
        names["messages"] = messages;
        names["add_generation_prompt"] = options.AddGenerationPrompt;
        names["bos_token"] = JinjaText.Trusted(_bos);
        names["eos_token"] = JinjaText.Trusted(_eos);
        if (options.Tools is { } tools)
            names["tools"] = JinjaConversation.ToValue(tools);
        if (options.Documents is { } documents)
            names["documents"] = JinjaConversation.ToValue(documents);
        JinjaTemplate template = options.Tools is not null && _toolTemplate is not null ? _toolTemplate : _template;
        return template.Render(names, _time);
    }

    // A prompt of BOS and white space alone has the model write whatever it likes, which is no answer to anybody.
    private bool IsEmpty(string prompt)
    {
        ReadOnlySpan<char> rest = prompt.AsSpan().Trim();
        for (bool found = true; found && !rest.IsEmpty;)
        {
            found = false;
            foreach (string token in (ReadOnlySpan<string>)[_bos, _eos])
            {
                if (token.Length == 0 || !rest.StartsWith(token, StringComparison.Ordinal)) continue;
                rest = rest[token.Length..].Trim();
                found = true;
            }
        }

        return rest.IsEmpty;
    }
}
