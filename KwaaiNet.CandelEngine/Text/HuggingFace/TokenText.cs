using System.Text;
using System.Text.Json;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Text.Tokenization;

namespace KwaaiNet.CandelEngine.Text.HuggingFace;

/// <summary>How a token's text becomes the bytes it stands for: the <c>decoder</c> of a <c>tokenizer.json</c>, as far as it acts on one token.</summary>
internal sealed class TokenText
{
    private const string Known = "Sequence, ByteLevel, Metaspace, Replace, ByteFallback, Fuse and Strip";

    private readonly TokenizerJson _file;
    private readonly List<(string From, string To)> _replacements = [];
    private bool _byteLevel;

    /// <exception cref="ModelFormatException">A step is not known.</exception>
    public TokenText(TokenizerJson file)
    {
        _file = file;
        if (file.Decoder is { } part)
            AddSteps(part);
        else
            // Without a word on it, tokens stand for what the splitting wrote.
            _byteLevel = Array.Exists(WordSplitters.Create(file), step => step is ByteLevelSplitter);
    }

    /// <summary>Whether the first token of a text begins with a space that the text does not have.</summary>
    public bool HasAddedSpace { get; private set; }

    /// <summary>The bytes of a token.</summary>
    public byte[] BytesOf(string text, TokenKind kind)
    {
        if (kind == TokenKind.Byte && Vocabulary.TryParseByte(text, out byte value))
            return [value];
        if (kind is TokenKind.Control or TokenKind.Unknown)
            return Encoding.UTF8.GetBytes(text);
        // Added tokens too: Gemma has one for each number of spaces.
        foreach ((string from, string to) in _replacements)
            text = text.Replace(from, to, StringComparison.Ordinal);
        // But they are no bytes written in an alphabet.
        return _byteLevel && kind != TokenKind.UserDefined ? ByteAlphabet.ToBytes(text) : Encoding.UTF8.GetBytes(text);
    }

    private void AddSteps(JsonElement part)
    {
        JsonPart json = new(_file, "decoder", part);
        switch (json.Type)
        {
            case "Sequence":
                foreach (JsonElement step in json.Array("decoders"))
                    AddSteps(step);
                break;
            case "ByteLevel":
                _byteLevel = true;
                break;
            case "Metaspace":
                _replacements.Add((NotEmpty(json.String("replacement")), " "));
                HasAddedSpace = json.String("prepend_scheme", json.Flag("add_prefix_space", true) ? "always" : "never") != "never";
                break;
            case "Replace":
                if (!part.TryGetProperty("pattern", out JsonElement pattern) || pattern.ValueKind != JsonValueKind.Object || !pattern.TryGetProperty("String", out JsonElement literal))
                    throw _file.NotKnown("decoder's pattern", "Regex", "String");
                _replacements.Add((NotEmpty(literal.ValueKind == JsonValueKind.String ? literal.GetString()! : ""), json.String("content")));
                break;
            case "Strip":
                if (json.String("content") != " " || json.Integer("start", 0) > 1 || json.Integer("stop", 0) != 0)
                    throw _file.NotKnown("decoder's Strip", part.ToString(), "one space at the start");
                HasAddedSpace = json.Integer("start", 0) == 1;
                break;
            case "ByteFallback" or "Fuse":
                break;
            default:
                throw _file.NotKnown("decoder", json.Type, Known);
        }
    }

    private string NotEmpty(string text) => text.Length > 0 ? text : throw _file.Problem("a decoder replaces nothing");
}
