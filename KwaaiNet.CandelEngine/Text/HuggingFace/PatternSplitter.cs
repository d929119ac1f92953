namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>What becomes of the parts of a text that a pattern matched, with the names that <c>tokenizer.json</c> gives.</summary>
internal enum MatchBehavior
{
    /// <summary>They are dropped.</summary>
    Removed,

    /// <summary>Each is a word.</summary>
    Isolated,

    /// <summary>Neighbouring ones are one word.</summary>
    Contiguous,

    /// <summary>Each ends the word before it.</summary>
    MergedWithPrevious,

    /// <summary>Each begins the word after it.</summary>
    MergedWithNext,
}

/// <summary>Cuts words at what a pattern matches: the <c>Split</c> of a <c>tokenizer.json</c> and what can be said by it.</summary>
/// <param name="pattern">What is searched for.</param>
/// <param name="behavior">What becomes of the matches.</param>
/// <param name="invert">Whether what lies between the matches counts as matched, and they do not.</param>
internal sealed class PatternSplitter(TextPattern pattern, MatchBehavior behavior, bool invert = false) : IWordSplitter
{
    /// <inheritdoc/>
    public void Split(Word word, List<Word> words)
    {
        List<MatchedRange> ranges = [];
        pattern.Find(word.Text.Span, ranges);
        if (invert)
        {
            for (int i = 0; i < ranges.Count; i++)
                ranges[i] = ranges[i] with { IsMatch = !ranges[i].IsMatch };
        }

        for (int i = 0; i < ranges.Count; i++)
        {
            if (behavior == MatchBehavior.Removed && ranges[i].IsMatch)
                continue;
            int start = ranges[i].Start;
            while (i + 1 < ranges.Count && Continues(i, ranges))
                i++;
            words.Add(new Word(word.Text[start..ranges[i].End], word.AtStart && start == 0));
        }
    }

    /// <summary>Whether the range after <paramref name="i"/> belongs to the same word.</summary>
    /// <remarks>A match joins the neighbour on its side once: of several matches in a row only the nearest does.</remarks>
    private bool Continues(int i, List<MatchedRange> ranges) => behavior switch
    {
        MatchBehavior.Contiguous => ranges[i].IsMatch == ranges[i + 1].IsMatch,
        MatchBehavior.MergedWithPrevious => ranges[i + 1].IsMatch && !ranges[i].IsMatch,
        MatchBehavior.MergedWithNext => ranges[i].IsMatch && !ranges[i + 1].IsMatch,
        _ => false,
    };
}
