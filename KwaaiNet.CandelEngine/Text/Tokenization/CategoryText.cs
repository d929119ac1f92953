using System.Globalization;
using System.Text;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>A text with one UTF-16 unit for every character, so that a regular expression sees characters, not halves of them.</summary>
/// <remarks>
/// .NET's expressions take a character beyond U+FFFF as two surrogates, which are in no letter, number or punctuation class; the
/// expressions of the tokenizers were written for whole characters. Such a character is replaced by one of its own category below U+10000.
/// </remarks>
internal readonly ref struct CategoryText
{
    private readonly int[]? _starts;

    public CategoryText(ReadOnlySpan<char> text)
    {
        if (!text.ContainsAnyInRange('\uD800', '\uDFFF'))
        {
            Characters = text;
            return;
        }

        char[] characters = new char[text.Length];
        _starts = new int[text.Length + 1];
        int count = 0;
        int at = 0;
        foreach (Rune rune in text.EnumerateRunes())
        {
            characters[count] = rune.IsBmp ? (char)rune.Value : Representative(rune.Value, Rune.GetUnicodeCategory(rune));
            _starts[count++] = at;
            at += rune.Utf16SequenceLength;
        }

        _starts[count] = at;
        Characters = characters.AsSpan(0, count);
    }

    /// <summary>One unit for each character.</summary>
    public ReadOnlySpan<char> Characters { get; }

    /// <summary>Where character <paramref name="index"/> starts in the original text; the text's length for the index after the last.</summary>
    public int StartOf(int index) => _starts is null ? index : _starts[index];

    // None of these lies in a range that an expression names by code points, as deepseek-coder's names U+0800 to U+9FA5, but for the two
    // kinds of characters that expressions name above U+FFFF as well: the script Han, and the cased letters that deepseek-llm lists.
    private static char Representative(int character, UnicodeCategory category) => category switch
    {
        UnicodeCategory.UppercaseLetter or UnicodeCategory.TitlecaseLetter => IsListedLetter(character) ? '\u00C0' : '\uA7C0',
        UnicodeCategory.LowercaseLetter => IsListedLetter(character) ? '\u00E0' : '\uA7C1',
        UnicodeCategory.ModifierLetter or UnicodeCategory.OtherLetter => IsHan(character) ? '\u9FFF' : '\uA000',
        UnicodeCategory.DecimalDigitNumber => '\u0660',
        UnicodeCategory.LetterNumber or UnicodeCategory.OtherNumber => '\u00B2',
        UnicodeCategory.ConnectorPunctuation or UnicodeCategory.DashPunctuation or UnicodeCategory.OpenPunctuation or UnicodeCategory.ClosePunctuation
            or UnicodeCategory.InitialQuotePunctuation or UnicodeCategory.FinalQuotePunctuation or UnicodeCategory.OtherPunctuation => '\u00BF',
        UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.EnclosingMark => '\u0300',
        UnicodeCategory.MathSymbol or UnicodeCategory.CurrencySymbol or UnicodeCategory.ModifierSymbol or UnicodeCategory.OtherSymbol => '\u00A9',
        _ => '\uE000',
    };

    private static bool IsHan(int character) => character is (>= 0x20000 and <= 0x323AF) or 0x16FF0 or 0x16FF1 or 0x16FE2 or 0x16FE3;

    // Deseret, Osage, Old Hungarian, Warang Citi, Adlam.
    private static bool IsListedLetter(int character) => character is (>= 0x10400 and <= 0x1044F) or (>= 0x104B0 and <= 0x104D3) or (>= 0x104D8 and <= 0x104FB)
        or (>= 0x10C80 and <= 0x10CB2) or (>= 0x10CC0 and <= 0x10CF2) or (>= 0x118A0 and <= 0x118DF) or (>= 0x1E900 and <= 0x1E943);
}
