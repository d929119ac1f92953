namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>A conversation, by its lengths.</summary>
/// <param name="System">Tokens of the system message; 0: none. The same words for all conversations that have one of this length.</param>
/// <param name="EndsByItself">Whether the model may end its answers before their greatest length.</param>
/// <param name="Turns">One or more.</param>
internal sealed record ConversationShape(int System, bool EndsByItself, IReadOnlyList<TurnShape> Turns)
{
    /// <summary>Tokens of each message that the chat template adds, counted generously.</summary>
    public const int MessageOverhead = 16;

    /// <summary>Positions of the whole conversation.</summary>
    public int Positions => Start(System) + Turns.Sum(turn => Room(turn.Prompt, turn.Answer));

    /// <summary>Positions that a system message of so many tokens takes, the template's own beginning included.</summary>
    public static int Start(int system) => system + (2 * MessageOverhead);

    /// <summary>Positions that a turn takes.</summary>
    public static int Room(int prompt, int answer) => prompt + answer + (2 * MessageOverhead);
}
