using System.Text;

namespace KwaaiNet.CandelEngine.Text.Jinja;

/// <summary>Puts marked text together.</summary>
internal sealed class JinjaTextBuilder
{
    private readonly StringBuilder _text = new();
    private bool[]? _user;

    public int Length => _text.Length;

    public JinjaTextBuilder Append(JinjaText text) => Append(text, 0, text.Length);

    public JinjaTextBuilder Append(JinjaText text, int start, int length)
    {
        if (text.UserMarks is { } marks && length > 0)
        {
            Reserve(_text.Length + length);
            marks.AsSpan(start, length).CopyTo(_user.AsSpan(_text.Length));
        }

        _text.Append(text.Text, start, length);
        return this;
    }

    /// <summary>Appends text of the template's own.</summary>
    public JinjaTextBuilder Append(string text)
    {
        _text.Append(text);
        return this;
    }

    /// <summary>Appends text with one mark for all of it.</summary>
    public JinjaTextBuilder Append(string text, bool user)
    {
        if (user && text.Length > 0)
        {
            Reserve(_text.Length + text.Length);
            _user.AsSpan(_text.Length, text.Length).Fill(true);
        }

        _text.Append(text);
        return this;
    }

    public JinjaText ToText()
    {
        if (_user is null)
            return JinjaText.Trusted(_text.ToString());
        bool[] marks = new bool[_text.Length];
        _user.AsSpan(0, Math.Min(_user.Length, marks.Length)).CopyTo(marks);
        return JinjaText.Marked(_text.ToString(), marks);
    }

    private void Reserve(int length)
    {
        if (_user is null)
            _user = new bool[Math.Max(length, 256)];
        else if (_user.Length < length)
            Array.Resize(ref _user, Math.Max(length, _user.Length * 2));
    }
}
