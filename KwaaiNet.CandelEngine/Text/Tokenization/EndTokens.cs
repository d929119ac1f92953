namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Finds the tokens at which generation ends.</summary>
internal static class EndTokens
{
    /// <summary>Names under which models ship tokens that end a turn or a text, for files that do not say so by key.</summary>
    private static readonly string[] s_names =
    [
        "</s>", "<|im_end|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|endoftext|>", "<|end_of_text|>", "<|end_of_turn|>", "<end_of_turn>",
        "<eos>", "<EOT>", "_<EOT>", "[EOT]", "[EOS]", "<|EOT|>", "<|end_of_sentence|>", "<｜end▁of▁sentence｜>", "<|return|>", "<|call|>", "<|calls|>", "<|flush|>",
        "<end_of_utterance>", "<turn|>", "<|tool_response>",
        // What a code model writes once the file it was filling in is done.
        "<|fim_pad|>", "<|fim_repo|>", "<|repo_name|>", "<|file_sep|>",
    ];

    /// <param name="vocabulary">The tokens.</param>
    /// <param name="endOfTurn">The end-of-turn token the file names, if it does.</param>
    /// <param name="endOfMessage">The end-of-message token the file names, if it does.</param>
    public static HashSet<int> Find(Vocabulary vocabulary, int? endOfTurn, int? endOfMessage) => Find(
        name => vocabulary.Ids.TryGetValue(name, out int id) && vocabulary.Kinds[id] is (TokenKind.Control or TokenKind.UserDefined) ? id : null,
        vocabulary.EosId,
        endOfTurn,
        endOfMessage);

    /// <param name="find">The id of a token that is matched as a whole string, by its text; null for no such token.</param>
    /// <param name="named">Tokens that the model's files name.</param>
    public static HashSet<int> Find(Func<string, int?> find, params ReadOnlySpan<int?> named)
    {
        HashSet<int> ends = [];
        foreach (string name in s_names)
        {
            if (find(name) is int id)
                ends.Add(id);
        }

        // Where a format ends whole answers with tokens of their own, <|end|> ends a part of one, after which the model goes on.
        if ((Has("<|return|>") && Has("<|call|>")) || (Has("<|calls|>") && Has("<|flush|>")))
            Remove("<|end|>");
        // Gemma 4 has </s> as an HTML tag.
        if (Has("<|tool_response>"))
            Remove("</s>");
        foreach (int? id in named)
        {
            if (id is int end)
                ends.Add(end);
        }

        return ends;

        bool Has(string name) => find(name) is int id && ends.Contains(id);

        void Remove(string name)
        {
            if (find(name) is int id)
                ends.Remove(id);
        }
    }
}
