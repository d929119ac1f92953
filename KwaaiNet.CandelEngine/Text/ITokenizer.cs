namespace KwaaiNet.CandelEngine.Text;

/// <summary>A model's vocabulary: text to token ids and back. Safe for concurrent use.</summary>
public interface ITokenizer
{
    /// <summary>Number of tokens; ids are below it.</summary>
    int VocabularySize { get; }

    /// <summary>The beginning-of-sequence token, or null.</summary>
    int? BosId { get; }

    /// <summary>Whether a prompt starts with <see cref="BosId"/> unless its template already put it there.</summary>
    bool AddBos { get; }

    /// <summary>Tokens at which generation ends: end of sequence, end of turn.</summary>
    IReadOnlySet<int> EndOfGenerationIds { get; }

    /// <summary>Encodes text, without BOS.</summary>
    /// <param name="text">Any text; unpaired surrogates become U+FFFD.</param>
    /// <param name="parseSpecial">Whether the text of control tokens (<c>&lt;|im_start|&gt;</c>) stands for them. False for anything a user wrote.</param>
    /// <exception cref="TokenizationException">The text takes the tokenizer too long.</exception>
    int[] Encode(string text, bool parseSpecial = false);

    /// <summary>The bytes a token stands for; empty for control tokens unless asked for.</summary>
    /// <param name="id">A token id; an id outside the vocabulary gives no bytes.</param>
    /// <param name="renderSpecial">Whether control tokens give their own text.</param>
    ReadOnlySpan<byte> GetBytes(int id, bool renderSpecial = false);

    /// <summary>Decodes a whole sequence; bytes that are not UTF-8 become U+FFFD.</summary>
    string Decode(ReadOnlySpan<int> ids, bool renderSpecial = false);

    /// <summary>A decoder for one stream that never emits half a character.</summary>
    StreamingDecoder CreateStreamingDecoder();
}
