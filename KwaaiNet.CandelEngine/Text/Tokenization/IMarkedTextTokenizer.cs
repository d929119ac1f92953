namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>A tokenizer that can be told, character by character, where control tokens may stand.</summary>
internal interface IMarkedTextTokenizer
{
    /// <summary>Encodes text in which control tokens stand for themselves only where it is trusted.</summary>
    int[] Encode(MarkedText text);
}
