using System.Globalization;
using System.Text;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>BERT's WordPiece (<c>tokenizer.ggml.model = bert</c>): words in small letters without accents, each spelled by the longest tokens there are.</summary>
/// <remarks>
/// Devlin et al. 2018, https://arxiv.org/abs/1810.04805, and its <c>BasicTokenizer</c>. In a GGUF a token that starts a word starts with U+2581.
/// A text does not come back as it was: case, accents and the width of spaces are lost.
/// </remarks>
internal sealed class WordPieceTokenizer : VocabularyTokenizer
{
    private const char WordStart = '\u2581';
    private const int LongestToken = 256;

    private readonly Dictionary<string, int>.AlternateLookup<ReadOnlySpan<char>> _ids;
    private readonly bool _lowerCase;
    private readonly bool _stripAccents;
    private readonly int _unknown;
    private readonly int _longest;

    public WordPieceTokenizer(Vocabulary vocabulary)
        : base(vocabulary, addBosByDefault: true)
    {
        Dictionary<string, int> ids = new(StringComparer.Ordinal);
        for (int id = 0; id < vocabulary.Texts.Length; id++)
        {
            // Looking for tokens costs a text its length times the longest token's: a longer one than any real one is a mistake or an attack.
            if (!vocabulary.IsOrdinary(id) || vocabulary.Texts[id].Length > LongestToken)
                continue;
            ids[vocabulary.Texts[id]] = id;
            _longest = Math.Max(_longest, vocabulary.Texts[id].Length);
        }

        _ids = ids.GetAlternateLookup<ReadOnlySpan<char>>();
        _unknown = vocabulary.UnknownId ?? throw vocabulary.Problem("'tokenizer.ggml.unknown_token_id' is missing, which a WordPiece tokenizer needs.");
        _lowerCase = vocabulary.ReadFlag("normalizer.lowercase") ?? true;
        _stripAccents = vocabulary.ReadFlag("normalizer.strip_accents") ?? _lowerCase;
    }

    // The first word's token starts with a space, as every word's does.
    protected override bool HasAddedSpace => true;

    protected override void EncodeOrdinary(ReadOnlySpan<char> text, bool afterSpecial, List<int> ids)
    {
        string normal = _stripAccents ? AccentTable.Strip(text) : text.ToString();
        StringBuilder word = new();
        foreach (Rune rune in normal.EnumerateRunes())
        {
            UnicodeCategory category = Rune.GetUnicodeCategory(rune);
            if (Rune.IsWhiteSpace(rune))
            {
                EndWord(word, ids);
            }
            else if (IsDropped(rune, category))
            {
                continue;
            }
            else if (IsWordOfItsOwn(rune, category))
            {
                EndWord(word, ids);
                word.Append(rune);
                EndWord(word, ids);
            }
            else
            {
                word.Append(_lowerCase ? Rune.ToLowerInvariant(rune) : rune);
            }
        }

        EndWord(word, ids);
    }

    protected override byte[] BytesOf(int id) => Encoding.UTF8.GetBytes(Vocabulary.Kinds[id] == TokenKind.Normal ? Vocabulary.Texts[id].Replace(WordStart, ' ') : Vocabulary.Texts[id]);

    private bool IsDropped(Rune rune, UnicodeCategory category) =>
        rune.Value is 0 or 0xFFFD
        || category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned
        || (_stripAccents && category == UnicodeCategory.NonSpacingMark);

    private static bool IsWordOfItsOwn(Rune rune, UnicodeCategory category) =>
        category is UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation
        || (rune.IsAscii && category is UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol && rune.Value < 0x7F)
        || IsIdeograph(rune.Value);

    // Chinese, but for Korean's and Japanese's own scripts, which are written with spaces or as one word.
    private static bool IsIdeograph(int c) => c is (>= 0x4E00 and <= 0x9FFF) or (>= 0x3400 and <= 0x4DBF) or (>= 0x20000 and <= 0x2A6DF) or (>= 0x2A700 and <= 0x2B73F)
        or (>= 0x2B740 and <= 0x2B81F) or (>= 0x2B920 and <= 0x2CEAF) or (>= 0xF900 and <= 0xFAFF) or (>= 0x2F800 and <= 0x2FA1F);

    /// <summary>Spells a word, or says that it is unknown as a whole.</summary>
    private void EndWord(StringBuilder word, List<int> ids)
    {
        if (word.Length == 0)
            return;
        string spelled = WordStart + word.ToString();
        word.Clear();
        int before = ids.Count;
        for (int at = 0; at < spelled.Length;)
        {
            int length = Math.Min(_longest, spelled.Length - at);
            int id = -1;
            while (length > 0 && !_ids.TryGetValue(spelled.AsSpan(at, length), out id))
                length--;
            if (length == 0)
            {
                ids.RemoveRange(before, ids.Count - before);
                break;
            }

            ids.Add(id);
            at += length;
        }

        if (ids.Count == before)
            ids.Add(_unknown);
    }
}
