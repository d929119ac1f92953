namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>One turn of a conversation, by its lengths.</summary>
/// <param name="Prompt">Tokens of the user's message.</param>
/// <param name="Answer">Tokens of the answer at most.</param>
internal sealed record TurnShape(int Prompt, int Answer);
