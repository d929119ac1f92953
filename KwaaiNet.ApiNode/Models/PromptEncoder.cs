using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.ApiNode.Models;

/// <summary>Turns a conversation into the tokens of a prompt.</summary>
internal static class PromptEncoder
{
    /// <summary>Encodes with the model's own template. A base model has none: its prompt is the contents joined by line breaks, to be continued.</summary>
    /// <exception cref="ChatTemplateException">The template refuses the conversation, or makes nothing of it.</exception>
    public static int[] Encode(ChatModel model, IReadOnlyList<ChatTurn> turns, ChatTemplateOptions options)
    {
        ITokenizer tokenizer = model.Tokenizer;
        int[] ids = model.ChatTemplate is { } template
            ? NotEmpty(tokenizer, template.Encode(tokenizer, turns, options))
            : tokenizer.Encode(string.Join('\n', turns.Select(turn => turn.Content)));
        // Templates that write BOS themselves must not get a second one.
        return tokenizer is { AddBos: true, BosId: int bos } && (ids.Length == 0 || ids[0] != bos) ? [bos, .. ids] : ids;
    }

    // A model that is given nothing goes on with anything: noise that looks like an answer.
    private static int[] NotEmpty(ITokenizer tokenizer, int[] ids)
    {
        foreach (int id in ids)
        {
            if (id != tokenizer.BosId && tokenizer.GetBytes(id, renderSpecial: true).ContainsAnyInRange((byte)'!', (byte)'~'))
            {
                return ids;
            }
        }

        return string.IsNullOrWhiteSpace(tokenizer.Decode([.. ids.Where(id => id != tokenizer.BosId)], renderSpecial: true))
            ? throw new ChatTemplateException("it writes nothing but white space for it.")
            : ids;
    }
}
