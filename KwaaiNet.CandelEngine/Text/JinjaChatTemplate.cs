using KwaaiNet.CandelEngine.Text.Jinja;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text;

/// <summary>A chat template written in Jinja, as Hugging Face's libraries render them.</summary>
/// <remarks>
/// What a turn says is marked character by character, through every filter and method, so that the tokenizer finds control tokens in the
/// template's own text only. Ordinary text is tokenized as one, across the border between template and turn, as the model was trained.
/// </remarks>
internal sealed class JinjaChatTemplate : ChatTemplate
{
    private readonly Lazy<JinjaTemplate> _template;
    private readonly string _bos;
    private readonly string _eos;
    private readonly TimeProvider _time;

    /// <param name="source">The template's source.</param>
    /// <param name="bos">Text of the beginning-of-sequence token; empty when there is none.</param>
    /// <param name="eos">Text of the end-of-sequence token; empty when there is none.</param>
    /// <param name="time">The clock templates may read.</param>
    public JinjaChatTemplate(string source, string bos, string eos, TimeProvider time)
    {
        Source = source;
        _bos = bos;
        _eos = eos;
        _time = time;
        // A model whose template cannot be parsed still serves plain completions: the error waits for the first chat.
        _template = new Lazy<JinjaTemplate>(() => JinjaTemplate.Parse(source));
    }

    public override string Source { get; }

    public override string Render(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true) => RenderMarked(turns, addGenerationPrompt).Text;

    public override int[] Encode(ITokenizer tokenizer, IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt = true)
    {
        ArgumentNullException.ThrowIfNull(tokenizer);
        JinjaText prompt = RenderMarked(turns, addGenerationPrompt);
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

    private JinjaText RenderMarked(IReadOnlyList<ChatTurn> turns, bool addGenerationPrompt)
    {
        ArgumentNullException.ThrowIfNull(turns);
        object?[] messages = new object?[turns.Count];
        for (int i = 0; i < messages.Length; i++)
        {
            JinjaMap message = new();
            message.Set(JinjaText.Trusted("role"), JinjaText.FromUser(turns[i].Role));
            message.Set(JinjaText.Trusted("content"), JinjaText.FromUser(turns[i].Content));
            messages[i] = message;
        }

        return _template.Value.Render(
            [
                new("messages", new JinjaList(messages)),
                new("add_generation_prompt", addGenerationPrompt),
                new("bos_token", JinjaText.Trusted(_bos)),
                new("eos_token", JinjaText.Trusted(_eos)),
            ],
            _time);
    }
}
