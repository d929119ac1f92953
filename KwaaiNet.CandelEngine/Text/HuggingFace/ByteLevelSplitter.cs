namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>GPT-2's splitting, and a word's bytes written in its alphabet: the <c>ByteLevel</c> of a <c>tokenizer.json</c>.</summary>
/// <param name="words">The expression that cuts words; null where a step before has done it.</param>
/// <param name="addSpace">Whether a word that does not begin with a space gets one.</param>
internal sealed class ByteLevelSplitter(IWordSplitter? words, bool addSpace) : IWordSplitter
{
    /// <summary>GPT-2's expression.</summary>
    public const string Expression = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";

    /// <inheritdoc/>
    public void Split(Word word, List<Word> result)
    {
        if (addSpace && word.Text.Span[0] != ' ')
            word = word with { Text = string.Concat(" ", word.Text.Span).AsMemory() };
        int first = result.Count;
        if (words is null)
            result.Add(word);
        else
            words.Split(word, result);
        for (int i = first; i < result.Count; i++)
            result[i] = result[i] with { Text = TextNormalizer.ToAlphabet(result[i].Text.ToString()).AsMemory() };
    }
}
