using System.Buffers;
using System.Text;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Finds added tokens in a text: leftmost first, of several there the longest.</summary>
/// <remarks>Where a token may begin, every length that tokens of that first character have is looked up.</remarks>
internal sealed class AddedTokens
{
    private readonly Dictionary<string, (AddedToken Token, bool Withheld)> _tokens = new(StringComparer.Ordinal);
    private readonly Dictionary<string, (AddedToken Token, bool Withheld)>.AlternateLookup<ReadOnlySpan<char>> _lookup;
    private readonly Dictionary<char, int[]> _lengths;
    private readonly SearchValues<char> _firsts;

    /// <param name="tokens">The text each is found by, the token, and whether only trusted text may hold it.</param>
    public AddedTokens(IEnumerable<(string Text, AddedToken Token, bool Withheld)> tokens)
    {
        foreach ((string text, AddedToken token, bool withheld) in tokens)
        {
            if (text.Length > 0)
                _tokens[text] = (token, withheld);
        }

        _lookup = _tokens.GetAlternateLookup<ReadOnlySpan<char>>();
        _lengths = _tokens.Keys.GroupBy(text => text[0]).ToDictionary(group => group.Key, group => group.Select(text => text.Length).Distinct().OrderDescending().ToArray());
        _firsts = SearchValues.Create([.. _lengths.Keys]);
    }

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => _tokens.Count == 0;

    /// <summary>Finds the next token from <paramref name="from"/> on.</summary>
    /// <param name="text">The text and where in it control tokens may stand.</param>
    /// <param name="from">Where to begin.</param>
    /// <param name="start">Where what the token covers starts; white space it takes along included.</param>
    /// <param name="end">Where it ends.</param>
    /// <param name="id">The token.</param>
    public bool TryFind(MarkedText text, int from, out int start, out int end, out int id)
    {
        ReadOnlySpan<char> characters = text.Text;
        for (int at = from; at < characters.Length; at++)
        {
            int skip = characters[at..].IndexOfAny(_firsts);
            if (skip < 0)
                break;
            at += skip;
            foreach (int length in _lengths[characters[at]])
            {
                if (at + length > characters.Length || !_lookup.TryGetValue(characters.Slice(at, length), out (AddedToken Token, bool Withheld) found))
                    continue;
                if ((found.Withheld && !text.IsTrusted(at, length)) || (found.Token.SingleWord && !StandsAlone(characters, at, at + length)))
                    continue;
                start = at;
                end = at + length;
                id = found.Token.Id;
                while (found.Token.LeftStrip && start > from && char.IsWhiteSpace(characters[start - 1]))
                    start--;
                while (found.Token.RightStrip && end < characters.Length && char.IsWhiteSpace(characters[end]))
                    end++;
                return true;
            }
        }

        (start, end, id) = (0, 0, -1);
        return false;
    }

    private static bool StandsAlone(ReadOnlySpan<char> text, int start, int end) =>
        !(Rune.DecodeLastFromUtf16(text[..start], out Rune before, out _) == OperationStatus.Done && IsWordCharacter(before))
        && !(Rune.DecodeFromUtf16(text[end..], out Rune after, out _) == OperationStatus.Done && IsWordCharacter(after));

    private static bool IsWordCharacter(Rune rune) => Rune.IsLetterOrDigit(rune) || rune.Value == '_';
}
