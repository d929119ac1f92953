using System.Text;

namespace KwaaiNet.DemoModel.Text;

/// <summary>Who speaks, as the chat template names them: <c>system</c>, <c>user</c> or <c>assistant</c>.</summary>
/// <param name="Role">The speaker.</param>
/// <param name="Text">What is said.</param>
internal sealed record Turn(string Role, string Text)
{
    public bool IsAnswer => Role == "assistant";
}

/// <summary>One conversation, from the system message, if any, to the last answer.</summary>
/// <param name="Turns">The turns in order.</param>
internal sealed record Conversation(IReadOnlyList<Turn> Turns)
{
    public override string ToString()
    {
        StringBuilder text = new();
        foreach (Turn turn in Turns)
            text.Append("<|im_start|>").Append(turn.Role).Append('\n').Append(turn.Text).Append("<|im_end|>\n");
        return text.ToString();
    }
}
