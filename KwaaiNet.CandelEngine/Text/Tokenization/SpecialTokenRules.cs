namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>What GGUF files do not say about special tokens: which of them a user's text may not contain, and which swallow the white space beside them.</summary>
internal static class SpecialTokenRules
{
    // The one kind of tag that people write themselves: Gemma has these elements of HTML as tokens, and means them as such.
    private static readonly HashSet<string> s_htmlElements =
    [
        "table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "strong", "em", "b", "i", "u", "s", "sub", "sup", "code",
    ];

    /// <summary>Whether a user-defined token looks like one that gives a text its structure, as <c>&lt;|im_start|&gt;</c>, <c>&lt;tool_response&gt;</c> or <c>[INST]</c>
    /// do: only a template may write those. Files call many of them user-defined that their models' makers call special.</summary>
    /// <param name="text">The token's text.</param>
    public static bool IsMarker(string text)
    {
        if (text.Length < 3 || text.AsSpan().ContainsAny(" \n\t"))
            return false;
        if (text[0] == '<' && text[^1] == '>')
            return !s_htmlElements.Contains(text.Trim('<', '/', '>'));
        return text[0] == '[' && text[^1] == ']' && text.AsSpan(1, text.Length - 2).ContainsAnyInRange('A', 'Z');
    }

    /// <summary>Which tokens take the white space after them away with them.</summary>
    /// <param name="vocabulary">The tokens.</param>
    /// <returns>Null when none does.</returns>
    /// <remarks>Phi-3's were trained so; like llama.cpp, we know the model by its name.</remarks>
    public static HashSet<int>? FindStrippingAfter(Vocabulary vocabulary)
    {
        string name = vocabulary.ReadText("general.name") ?? "";
        if (!name.Contains("phi-3", StringComparison.OrdinalIgnoreCase) && !name.Contains("phi3", StringComparison.OrdinalIgnoreCase))
            return null;
        HashSet<int> stripping = [];
        for (int id = 0; id < vocabulary.Texts.Length; id++)
        {
            if (vocabulary.Kinds[id] is (TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown) && vocabulary.Texts[id] is not ("<unk>" or "<s>" or "<|endoftext|>"))
                stripping.Add(id);
        }

        return stripping;
    }

    /// <summary>The mask token, which takes the white space before it away with it; null where there is none of that kind.</summary>
    /// <param name="vocabulary">The tokens.</param>
    public static int? FindStrippingBefore(Vocabulary vocabulary)
    {
        string pre = vocabulary.ReadText("tokenizer.ggml.pre") ?? "";
        string architecture = vocabulary.ReadText("general.architecture") ?? "";
        bool strips = pre is "jina-v2-de" or "jina-v2-es" or "jina-v2-code" || architecture is "nomic-bert-moe" or "jina-bert-v3";
        return strips && vocabulary.Ids.TryGetValue("<mask>", out int id) ? id : null;
    }
}
