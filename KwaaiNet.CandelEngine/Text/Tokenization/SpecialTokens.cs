using System.Buffers;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Finds tokens that are matched as whole strings before any splitting: control tokens and user-defined ones.</summary>
/// <remarks>Leftmost match first, of several there the longest. A tree by character; a text costs its length times the depth at most.</remarks>
internal sealed class SpecialTokens
{
    private readonly Node _root = new();
    private readonly SearchValues<char> _firsts;

    public SpecialTokens(Vocabulary vocabulary)
    {
        for (int id = 0; id < vocabulary.Texts.Length; id++)
        {
            // SentencePiece's unknown token and Llama's </s> are found by name where the template is trusted, as any control token.
            if (vocabulary.Kinds[id] is (TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown) && vocabulary.Texts[id].Length > 0)
                Add(vocabulary.Texts[id], id, vocabulary.Kinds[id] != TokenKind.UserDefined);
        }

        _firsts = SearchValues.Create([.. _root.Next.Keys]);
    }

    /// <summary>Finds the next such token from <paramref name="from"/> on.</summary>
    /// <param name="text">The text and where in it control tokens may stand.</param>
    /// <param name="from">Where to begin.</param>
    /// <param name="start">Where the token's text starts.</param>
    /// <param name="length">Characters of the token's text.</param>
    /// <param name="id">The token.</param>
    public bool TryFind(MarkedText text, int from, out int start, out int length, out int id)
    {
        ReadOnlySpan<char> characters = text.Text;
        for (start = from; start < characters.Length; start++)
        {
            int skip = characters[start..].IndexOfAny(_firsts);
            if (skip < 0)
                break;
            start += skip;
            if (TryMatch(text, start, out length, out id))
                return true;
        }

        length = 0;
        id = -1;
        return false;
    }

    private bool TryMatch(MarkedText text, int start, out int length, out int id)
    {
        length = 0;
        id = -1;
        bool trusted = true;
        Node node = _root;
        for (int i = start; i < text.Length && node.Next.TryGetValue(text.Text[i], out Node? next); i++)
        {
            node = next;
            trusted &= text.IsTrusted(i);
            if (node.Id >= 0 && (trusted || !node.Control))
            {
                length = i + 1 - start;
                id = node.Id;
            }
        }

        return id >= 0;
    }

    private void Add(string text, int id, bool control)
    {
        Node node = _root;
        foreach (char c in text)
        {
            if (!node.Next.TryGetValue(c, out Node? next))
                node.Next.Add(c, next = new Node());
            node = next;
        }

        node.Id = id;
        node.Control = control;
    }

    private sealed class Node
    {
        public Dictionary<char, Node> Next { get; } = [];

        public int Id { get; set; } = -1;

        public bool Control { get; set; }
    }
}
