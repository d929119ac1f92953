using System.Text.RegularExpressions;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Splits text into words, which byte-level BPE then merges inside of, never across.</summary>
/// <remarks>
/// A list of expressions, one after another: each splits every piece into its matches and what lies between them.
/// The expressions are the ones the tokenizers were trained with; GGUF names them by <c>tokenizer.ggml.pre</c>.
/// </remarks>
internal sealed partial class PreTokenizer
{
    private const RegexOptions Options = RegexOptions.CultureInvariant;

    private readonly Regex[] _expressions;

    private PreTokenizer(params Regex[] expressions) => _expressions = expressions;

    /// <summary>Finds the splitter that a file names.</summary>
    /// <param name="name">The value of <c>tokenizer.ggml.pre</c>.</param>
    /// <returns>Null for a name this engine does not know.</returns>
    public static PreTokenizer? Find(string name) => name switch
    {
        "gpt-2" or "phi-2" or "gpt2" => new PreTokenizer(Gpt2()),
        "llama-bpe" or "llama3" or "llama-v3" => new PreTokenizer(Llama3()),
        "qwen2" or "deepseek-r1-qwen" => new PreTokenizer(Qwen2()),
        "starcoder" or "smollm" or "refact" or "command-r" => new PreTokenizer(Digit(), Gpt2()),
        "deepseek-coder" => new PreTokenizer(LineEnd(), OptionalSpaceLetters(), OptionalSpacePunctuation(), CjkRun(), Digit()),
        "default" => new PreTokenizer(Punctuation(), Gpt2(), Digits(), ThreeDigits()),
        _ => null,
    };

    /// <summary>Splits <paramref name="text"/> into consecutive words.</summary>
    /// <param name="text">Any text.</param>
    /// <param name="ends">Receives where each word ends.</param>
    public void Split(ReadOnlySpan<char> text, List<int> ends)
    {
        CategoryText view = new(text);
        List<int> pieces = [view.Characters.Length];
        List<int> finer = [];
        foreach (Regex expression in _expressions)
        {
            finer.Clear();
            int start = 0;
            foreach (int end in pieces)
            {
                SplitPiece(expression, view.Characters[start..end], start, finer);
                start = end;
            }

            (pieces, finer) = (finer, pieces);
        }

        foreach (int end in pieces)
            ends.Add(view.StartOf(end));
    }

    private static void SplitPiece(Regex expression, ReadOnlySpan<char> piece, int offset, List<int> ends)
    {
        int done = 0;
        foreach (ValueMatch match in expression.EnumerateMatches(piece))
        {
            if (match.Length == 0)
                continue;
            if (match.Index > done)
                ends.Add(offset + match.Index);
            done = match.Index + match.Length;
            ends.Add(offset + done);
        }

        if (done < piece.Length)
            ends.Add(offset + piece.Length);
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", Options)]
    private static partial Regex Gpt2();

    [GeneratedRegex(@"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", Options)]
    private static partial Regex Llama3();

    [GeneratedRegex(@"'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD]|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+", Options)]
    private static partial Regex Qwen2();

    [GeneratedRegex(@"\p{N}", Options)]
    private static partial Regex Digit();

    [GeneratedRegex(@"\p{N}+", Options)]
    private static partial Regex Digits();

    [GeneratedRegex(@"[0-9][0-9][0-9]", Options)]
    private static partial Regex ThreeDigits();

    [GeneratedRegex(@"[\p{P}\$\+<=>\^~\|]+", Options)]
    private static partial Regex Punctuation();

    [GeneratedRegex(@"[\r\n]", Options)]
    private static partial Regex LineEnd();

    [GeneratedRegex(@"\s?\p{L}+", Options)]
    private static partial Regex OptionalSpaceLetters();

    [GeneratedRegex(@"\s?\p{P}+", Options)]
    private static partial Regex OptionalSpacePunctuation();

    [GeneratedRegex(@"[\u4E00-\u9FA5\u0800-\u4E00\uAC00-\uD7FF]+", Options)]
    private static partial Regex CjkRun();
}
