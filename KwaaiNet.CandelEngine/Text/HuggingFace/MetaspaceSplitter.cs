namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>SentencePiece's way with spaces: each becomes a visible sign that begins a word. The <c>Metaspace</c> of a <c>tokenizer.json</c>.</summary>
/// <param name="sign">What stands for a space: U+2581.</param>
/// <param name="always">Whether every text gets a sign in front, unless it has one.</param>
/// <param name="atStart">Whether only what begins the whole text does.</param>
/// <param name="words">Cuts before each sign; null for one word of all.</param>
internal sealed class MetaspaceSplitter(string sign, bool always, bool atStart, IWordSplitter? words) : IWordSplitter
{
    /// <inheritdoc/>
    public void Split(Word word, List<Word> result)
    {
        string text = word.Text.ToString().Replace(" ", sign, StringComparison.Ordinal);
        if ((always || (atStart && word.AtStart)) && !text.StartsWith(sign, StringComparison.Ordinal))
            text = sign + text;
        word = word with { Text = text.AsMemory() };
        if (words is null)
            result.Add(word);
        else
            words.Split(word, result);
    }
}
