using System.Text.Json;
using KwaaiNet.CandelEngine.Files;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Makes the steps of a <c>pre_tokenizer</c>. A new kind is a line here.</summary>
internal static class WordSplitters
{
    private const string Known = "Sequence, Split, ByteLevel, Metaspace, Digits, Punctuation, Whitespace, WhitespaceSplit and CharDelimiterSplit";

    private const int LongestSign = 64;

    /// <summary>The steps a file describes, first to last.</summary>
    /// <exception cref="ModelFormatException">One is not known.</exception>
    public static IWordSplitter[] Create(TokenizerJson file)
    {
        List<IWordSplitter> steps = [];
        if (file.PreTokenizer is { } part)
            AddSteps(file, part, steps);
        return [.. steps];
    }

    private static void AddSteps(TokenizerJson file, JsonElement part, List<IWordSplitter> steps)
    {
        JsonPart json = new(file, "pre_tokenizer", part);
        switch (json.Type)
        {
            case "Sequence":
                foreach (JsonElement step in json.Array("pretokenizers"))
                    AddSteps(file, step, steps);
                break;
            case "Split":
                steps.Add(new PatternSplitter(TextPattern.Read(file, part), Behavior(file, json.String("behavior")), json.Flag("invert", false)));
                break;
            case "ByteLevel":
                IWordSplitter? words = json.Flag("use_regex", true) ? Own(file, ByteLevelSplitter.Expression, MatchBehavior.Isolated) : null;
                steps.Add(new ByteLevelSplitter(words, json.Flag("add_prefix_space", true)));
                break;
            case "Metaspace":
                steps.Add(Metaspace(file, json));
                break;
            case "Digits":
                steps.Add(Own(file, @"\p{N}", json.Flag("individual_digits", false) ? MatchBehavior.Isolated : MatchBehavior.Contiguous));
                break;
            case "Punctuation":
                steps.Add(Own(file, @"[\p{P}$+<=>^`|~]", Behavior(file, json.String("behavior", nameof(MatchBehavior.Isolated)))));
                break;
            case "Whitespace":
                steps.Add(Own(file, @"\w+|[^\w\s]+", MatchBehavior.Removed, invert: true));
                break;
            case "WhitespaceSplit":
                steps.Add(Own(file, @"\s", MatchBehavior.Removed));
                break;
            case "CharDelimiterSplit":
                steps.Add(new PatternSplitter(TextPattern.Literal(NotEmpty(file, json.String("delimiter"))), MatchBehavior.Removed));
                break;
            default:
                throw file.NotKnown("pre_tokenizer", json.Type, Known);
        }
    }

    private static MetaspaceSplitter Metaspace(TokenizerJson file, JsonPart json)
    {
        string sign = NotEmpty(file, json.String("replacement"));
        // Older files say add_prefix_space, which is "always" or "never".
        string scheme = json.String("prepend_scheme", json.Flag("add_prefix_space", true) ? "always" : "never");
        if (scheme is not ("always" or "first" or "never"))
            throw file.NotKnown("prepend_scheme", scheme, "always, first and never");
        PatternSplitter? words = json.Flag("split", true) ? new PatternSplitter(TextPattern.Literal(sign), MatchBehavior.MergedWithNext) : null;
        return new MetaspaceSplitter(sign, scheme == "always", scheme == "first", words);
    }

    private static PatternSplitter Own(TokenizerJson file, string expression, MatchBehavior behavior, bool invert = false) =>
        new(TextPattern.Own(expression), behavior, invert);

    private static MatchBehavior Behavior(TokenizerJson file, string name) =>
        Enum.TryParse(name, out MatchBehavior behavior) && Enum.IsDefined(behavior) && !char.IsAsciiDigit(name[0])
            ? behavior
            : throw file.NotKnown("behavior", name, string.Join(", ", Enum.GetNames<MatchBehavior>()));

    // Every space becomes it, so a long one would make far more of a text than it is.
    private static string NotEmpty(TokenizerJson file, string text) =>
        text.Length is > 0 and <= LongestSign ? text : throw file.Problem($"a pre_tokenizer's sign has {text.Length} characters; it has 1 to {LongestSign}");
}
