using System.Text.Json;
using System.Text.RegularExpressions;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>What a tokenizer searches a text for: <c>{ "String": … }</c> as it stands, or <c>{ "Regex": … }</c>.</summary>
internal sealed class TextPattern
{
    // What a tokenizer's expressions take for a megabyte is far below; one that runs away must not hold a node.
    private static readonly TimeSpan s_timeLimit = TimeSpan.FromSeconds(5);

    private readonly string? _literal;
    private readonly Regex? _expression;

    private TextPattern(string? literal, Regex? expression) => (_literal, _expression) = (literal, expression);

    /// <summary>A .NET expression of our own.</summary>
    /// <param name="expression">The expression.</param>
    /// <param name="limit">How long it may search a text; null: as long as a tokenizer's own.</param>
    public static TextPattern Own(string expression, TimeSpan? limit = null) => new(null, new Regex(expression, RegexOptions.CultureInvariant, limit ?? s_timeLimit));

    /// <summary>A literal.</summary>
    public static TextPattern Literal(string literal) => new(literal, null);

    /// <summary>Reads the pattern of a part.</summary>
    /// <exception cref="ModelFormatException">There is none, or its expression uses what .NET has no match for.</exception>
    public static TextPattern Read(TokenizerJson file, JsonElement part)
    {
        if (part.TryGetProperty("pattern", out JsonElement pattern) && pattern.ValueKind == JsonValueKind.Object)
        {
            if (pattern.TryGetProperty("String", out JsonElement literal) && literal.ValueKind == JsonValueKind.String && literal.GetString() is { Length: > 0 } text)
                return Literal(text);
            if (pattern.TryGetProperty("Regex", out JsonElement regex) && regex.ValueKind == JsonValueKind.String)
            {
                string source = regex.GetString()!;
                try
                {
                    return new TextPattern(null, new Regex(OnigurumaExpression.ToDotNet(source), RegexOptions.CultureInvariant | RegexOptions.Compiled, s_timeLimit));
                }
                catch (Exception e) when (e is ArgumentException or NotSupportedException)
                {
                    throw new ModelFormatException($"{file.Path}: the tokenizer's expression '{source}' cannot be run: {e.Message} Take a GGUF conversion of the model.", e);
                }
            }
        }

        throw file.Problem("a part of the tokenizer has no pattern");
    }

    /// <summary>Cuts a text into what matches and what lies between; nothing is left out and nothing is empty.</summary>
    /// <param name="text">No lone surrogates.</param>
    /// <param name="ranges">Receives the parts, in order.</param>
    /// <exception cref="TokenizationException">The expression takes too long for the text.</exception>
    public void Find(ReadOnlySpan<char> text, List<MatchedRange> ranges)
    {
        int done = 0;
        if (_literal is not null)
        {
            for (int at; (at = text[done..].IndexOf(_literal, StringComparison.Ordinal)) >= 0;)
                Add(done + at, done + at + _literal.Length);
        }
        else
        {
            CategoryText view = new(text);
            try
            {
                foreach (ValueMatch match in _expression!.EnumerateMatches(view.Characters))
                {
                    if (match.Length > 0)
                        Add(view.StartOf(match.Index), view.StartOf(match.Index + match.Length));
                }
            }
            catch (RegexMatchTimeoutException e)
            {
                throw new TokenizationException($"A text of {text.Length} characters takes the model's tokenizer more than {e.MatchTimeout.TotalSeconds:0.##} seconds: its expression '{_expression}' tries too many ways to cut it. Break up what is repeated in it.", e);
            }
        }

        if (done < text.Length)
            ranges.Add(new MatchedRange(done, text.Length, false));

        void Add(int start, int end)
        {
            if (start > done)
                ranges.Add(new MatchedRange(done, start, false));
            ranges.Add(new MatchedRange(start, end, true));
            done = end;
        }
    }
}
