using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Byte-pair encoding: a word's characters merge in the order the merges are listed, of equal ones the leftmost first.</summary>
/// <remarks>Source: Sennrich et al., arXiv:1508.07909, with the byte fallback of SentencePiece.</remarks>
internal sealed class BpeModel : ITokenModel
{
    private readonly TokenizerJson _file;
    private readonly Dictionary<string, int> _ids;
    private readonly Dictionary<ulong, (int Rank, int Id)> _merges;
    private readonly UnknownText _unknown;
    private readonly int _longest;

    /// <param name="file">The vocabulary and merges.</param>
    /// <param name="kinds">What each token is: control tokens are spelled by no text.</param>
    public BpeModel(TokenizerJson file, TokenKind[] kinds)
    {
        _file = file;
        _ids = file.Ids;
        _merges = file.Merges;
        _unknown = new UnknownText(file);
        foreach ((string text, int id) in _ids)
        {
            // What stands for a byte or steers the model is not what the letters of its name spell.
            if (kinds[id] is TokenKind.Control or TokenKind.Byte)
                _ids.Remove(text);
            else
                _longest = Math.Max(_longest, text.Length);
        }

        foreach ((ulong pair, (_, int id)) in _merges)
        {
            if (kinds[id] is TokenKind.Control or TokenKind.Byte)
                _merges.Remove(pair);
        }
    }

    /// <inheritdoc/>
    public void Encode(ReadOnlySpan<char> word, List<int> ids)
    {
        Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> lookup = _ids.GetAlternateLookup<ReadOnlySpan<char>>();
        if (_file.IgnoreMerges && word.Length <= _longest && lookup.TryGetValue(word, out int whole))
        {
            ids.Add(whole);
            return;
        }

        // A character's symbol is its token, or the complement of its place: text that only unknown or byte tokens spell.
        SymbolMerger symbols = new();
        for (int at = 0; at < word.Length;)
        {
            int length = char.IsHighSurrogate(word[at]) ? 2 : 1;
            symbols.Add(at, length, lookup.TryGetValue(word.Slice(at, length), out int id) ? id : ~at);
            at += length;
        }

        symbols.Merge(new Rule(_merges));
        bool afterUnknown = false;
        for (int at = symbols.First; at >= 0; at = symbols[at].Next)
        {
            if (symbols[at].Id >= 0)
            {
                ids.Add(symbols[at].Id);
                afterUnknown = false;
            }
            else
            {
                afterUnknown = _unknown.Append(word.Slice(symbols[at].Start, symbols[at].Length), afterUnknown, ids);
            }
        }
    }

    private readonly struct Rule(Dictionary<ulong, (int Rank, int Id)> merges) : IMergeRule
    {
        public bool TryMerge(in Symbol left, in Symbol right, out uint order, out int id)
        {
            bool found = merges.TryGetValue(TokenizerJson.Pair(left.Id, right.Id), out (int Rank, int Id) merged);
            order = (uint)merged.Rank;
            id = merged.Id;
            return found;
        }
    }
}
