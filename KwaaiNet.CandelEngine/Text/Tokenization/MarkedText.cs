namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>Text of which every character is known to come from a template (trusted) or from somebody's words.</summary>
/// <remarks>Only trusted characters can be a control token; everything else about tokenizing is the same for both.</remarks>
internal sealed class MarkedText
{
    private readonly bool _trusted;
    private readonly bool[]? _user;

    /// <summary>Text of one origin.</summary>
    public MarkedText(string text, bool trusted)
    {
        Text = text;
        _trusted = trusted;
    }

    /// <summary>Text of both origins.</summary>
    /// <param name="text">The text.</param>
    /// <param name="user">For each character whether it is somebody's words; null: none is.</param>
    public MarkedText(string text, bool[]? user)
        : this(text, trusted: true) => _user = user;

    public string Text { get; }

    public int Length => Text.Length;

    /// <summary>Whether every character of a part is trusted.</summary>
    public bool IsTrusted(int start, int length) => _user is null ? _trusted : !_user.AsSpan(start, length).Contains(true);

    /// <summary>The same text with U+FFFD for every surrogate that has no partner; nothing moves.</summary>
    public MarkedText WithoutLoneSurrogates()
    {
        string clean = Clean(Text);
        return ReferenceEquals(clean, Text) ? this : _user is null ? new MarkedText(clean, _trusted) : new MarkedText(clean, _user);
    }

    private static string Clean(string text)
    {
        if (!text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return text;
        char[]? clean = null;
        for (int i = 0; i < text.Length; i++)
        {
            if (!char.IsSurrogate(text[i]))
                continue;
            if (i + 1 < text.Length && char.IsSurrogatePair(text[i], text[i + 1]))
            {
                i++;
                continue;
            }

            clean ??= text.ToCharArray();
            clean[i] = '\uFFFD';
        }

        return clean is null ? text : new string(clean);
    }
}
