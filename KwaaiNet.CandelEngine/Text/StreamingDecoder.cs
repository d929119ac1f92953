using System.Text;

namespace KwaaiNet.CandelEngine.Text;

/// <summary>Turns one stream of token ids into text as they come, holding back the bytes of an unfinished character.</summary>
/// <param name="tokenizer">The vocabulary.</param>
public sealed class StreamingDecoder(ITokenizer tokenizer)
{
    private readonly Decoder _utf8 = Encoding.UTF8.GetDecoder();
    private char[] _characters = new char[64];

    /// <summary>Takes the next token; returns the text it completes, which may be empty. The span is valid until the next call.</summary>
    public ReadOnlySpan<char> Append(int id)
    {
        ReadOnlySpan<byte> bytes = tokenizer.GetBytes(id);
        return Decode(bytes, flush: false);
    }

    /// <summary>Ends the stream: an unfinished character becomes U+FFFD.</summary>
    public ReadOnlySpan<char> Flush() => Decode([], flush: true);

    private ReadOnlySpan<char> Decode(ReadOnlySpan<byte> bytes, bool flush)
    {
        // At most one char a byte, and one replacement character for what was held back.
        if (_characters.Length < bytes.Length + 4)
        {
            _characters = new char[bytes.Length + 4];
        }

        int count = _utf8.GetChars(bytes, _characters, flush);
        return _characters.AsSpan(0, count);
    }
}
