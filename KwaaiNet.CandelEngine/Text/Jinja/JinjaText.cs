using System.Text;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>A string of the template language that remembers which of its characters are somebody's words, so that those can never become a control token.</summary>
/// <remarks>Every operation that makes text from text keeps the marks. Immutable.</remarks>
internal sealed class JinjaText
{
    private readonly bool[]? _user;

    private JinjaText(string text, bool[]? user)
    {
        Text = text;
        _user = user;
    }

    /// <summary>Whether the text counts as markup: added to other text, it has that escaped for a web page. Templates that use <c>safe</c> get it.</summary>
    public bool IsSafe { get; private init; }

    public static JinjaText Empty { get; } = new("", null);

    public string Text { get; }

    public int Length => Text.Length;

    /// <summary>For each character whether it is somebody's words; null when none is.</summary>
    public bool[]? UserMarks => _user;

    /// <summary>Text of the template or of the engine.</summary>
    public static JinjaText Trusted(string text) => new(text, null);

    /// <summary>Text that came with a request.</summary>
    public static JinjaText FromUser(string text)
    {
        bool[] user = new bool[text.Length];
        Array.Fill(user, true);
        return new JinjaText(text, user);
    }

    public static JinjaText Marked(string text, bool[]? user) => new(text, user);

    /// <summary>The same text, counted as markup.</summary>
    public JinjaText AsSafe() => IsSafe ? this : new JinjaText(Text, _user) { IsSafe = true };

    public JinjaText Slice(int start, int length) =>
        length == 0 ? Empty
        : length == Length ? this
        : new JinjaText(Text.Substring(start, length), _user?[start..(start + length)]);

    /// <summary>Changes characters one for one.</summary>
    public JinjaText Map(Func<string, string> change)
    {
        string changed = change(Text);
        return changed.Length == Text.Length ? new JinjaText(changed, _user) : throw new ChatTemplateException("A change of case changed the text's length.");
    }

    /// <summary>Number of characters as the language counts them: code points.</summary>
    public int CountCharacters() => Text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF') ? Text.EnumerateRunes().Count() : Length;

    /// <summary>Where each character starts, and the end; null where characters are UTF-16 units.</summary>
    public int[]? CharacterStarts()
    {
        if (!Text.AsSpan().ContainsAnyInRange('\uD800', '\uDFFF'))
            return null;
        List<int> starts = [];
        int at = 0;
        while (at < Length)
        {
            starts.Add(at);
            Rune.DecodeFromUtf16(Text.AsSpan(at), out _, out int consumed);
            at += consumed;
        }

        starts.Add(Length);
        return [.. starts];
    }

    public override string ToString() => Text;
}
