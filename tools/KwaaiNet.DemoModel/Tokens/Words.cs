using System.Text.RegularExpressions;

namespace KwaaiNet.DemoModel.Tokens;

/// <summary>GPT-2's cut of a text into words, inside which byte pairs merge: what a GGUF calls the pre-tokenizer <c>gpt-2</c>.</summary>
internal static partial class Words
{
    public static IEnumerable<string> Cut(string text)
    {
        foreach (Match match in Pattern().EnumerateAll(text))
            yield return match.Value;
    }

    [GeneratedRegex(@"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();

    private static IEnumerable<Match> EnumerateAll(this Regex regex, string text)
    {
        for (Match match = regex.Match(text); match.Success; match = match.NextMatch())
            yield return match;
    }
}
