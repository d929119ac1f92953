using System.Buffers;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Finds tokens that are matched as whole strings before any splitting: control tokens and user-defined ones.</summary>
/// <remarks>
/// Leftmost match first, of several there the longest. Where a token may begin, every length that tokens of that first character have is
/// looked up, so a text costs its length times the few lengths there are.
/// </remarks>
internal sealed class SpecialTokens
{
    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly Dictionary<char, int[]> _lengths;
    private readonly SearchValues<char> _firsts;
    private readonly HashSet<int> _open = [];

    public SpecialTokens(Vocabulary vocabulary)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        for (int id = 0; id < vocabulary.Texts.Length; id++)
        {
            if (vocabulary.Kinds[id] is (TokenKind.Control or TokenKind.UserDefined or TokenKind.Unknown) && vocabulary.Texts[id].Length > 0)
                ids[vocabulary.Texts[id]] = id;
            // Any text may contain those, as spaces that come in one token.
            if (vocabulary.Kinds[id] == TokenKind.UserDefined && !SpecialTokenRules.IsMarker(vocabulary.Texts[id]))
                _open.Add(id);
        }

        _ids = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengths = ids.Keys.GroupBy(text => text[0]).ToDictionary(group => group.Key, group => group.Select(text => text.Length).Distinct().OrderDescending().ToArray());
        _firsts = SearchValues.Create([.. _lengths.Keys]);
    }

    /// <summary>Finds the next such token from <paramref name="from"/> on.</summary>
    /// <param name="text">The text and where in it control tokens may stand.</param>
    /// <param name="from">Where to begin.</param>
    /// <param name="start">Where the token's text starts.</param>
    /// <param name="length">Characters of the token's text; 0 when there is none.</param>
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
            foreach (int candidate in _lengths[characters[start]])
            {
                if (start + candidate > characters.Length || !_ids.TryGetValue(characters.Slice(start, candidate), out id))
                    continue;
                if (_open.Contains(id) || text.IsTrusted(start, candidate))
                {
                    length = candidate;
                    return true;
                }
            }
        }

        length = 0;
        id = -1;
        return false;
    }
}
