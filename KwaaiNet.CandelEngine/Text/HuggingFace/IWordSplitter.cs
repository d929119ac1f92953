namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>A step of a <c>pre_tokenizer</c>: cuts a word into smaller ones, and may change their characters.</summary>
internal interface IWordSplitter
{
    /// <summary>Cuts one word.</summary>
    /// <param name="word">Not empty.</param>
    /// <param name="words">Receives its parts, none of them empty.</param>
    void Split(Word word, List<Word> words);
}
