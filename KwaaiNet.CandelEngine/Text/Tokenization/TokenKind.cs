namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>What a token is, with the numbers of <c>tokenizer.ggml.token_type</c> (SentencePiece's own).</summary>
internal enum TokenKind
{
    Normal = 1,
    Unknown = 2,
    Control = 3,
    UserDefined = 4,
    Unused = 5,
    Byte = 6,
}
