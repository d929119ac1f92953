namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>Spells a word in tokens: the <c>model</c> of a <c>tokenizer.json</c>. Safe for concurrent use.</summary>
internal interface ITokenModel
{
    /// <summary>Appends a word's ids.</summary>
    /// <param name="word">Not empty, no lone surrogates.</param>
    /// <param name="ids">Where they go.</param>
    void Encode(ReadOnlySpan<char> word, List<int> ids);
}
