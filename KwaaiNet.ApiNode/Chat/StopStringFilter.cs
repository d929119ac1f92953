using System.Text;

namespace KwaaiNet.ApiNode.Chat;

/// <summary>Lets text through up to the first stop string, and holds back whatever may still become one.</summary>
/// <param name="stops">The stop strings; none is empty.</param>
internal sealed class StopStringFilter(IReadOnlyList<string> stops)
{
    private readonly StringBuilder _held = new();

    /// <summary>Whether a stop string has come. Nothing is let through any more.</summary>
    public bool Stopped { get; private set; }

    /// <summary>Takes the next text; returns what can no longer belong to a stop string.</summary>
    public string Append(ReadOnlySpan<char> text)
    {
        if (Stopped || text.IsEmpty)
        {
            return "";
        }

        if (stops.Count == 0)
        {
            return text.ToString();
        }

        string held = _held.Append(text).ToString();
        // The one that is complete first ends the text, whichever way tokens cut it; of several the longest.
        (int End, int Start) first = (int.MaxValue, 0);
        foreach (string stop in stops)
        {
            int at = held.IndexOf(stop, StringComparison.Ordinal);
            if (at >= 0 && (at + stop.Length, at).CompareTo(first) < 0)
            {
                first = (at + stop.Length, at);
            }
        }

        Stopped = first.End != int.MaxValue;
        int free = Stopped ? first.Start : held.Length - LongestBeginning(held);
        _held.Clear();
        if (!Stopped)
        {
            _held.Append(held, free, held.Length - free);
        }

        return held[..free];
    }

    /// <summary>The text has ended: what was held back is no stop string after all.</summary>
    public string Flush()
    {
        string rest = _held.ToString();
        _held.Clear();
        return rest;
    }

    // Length of the longest end of the text that begins a stop string.
    private int LongestBeginning(string text)
    {
        int longest = 0;
        foreach (string stop in stops)
        {
            for (int length = Math.Min(stop.Length - 1, text.Length); length > longest; length--)
            {
                if (text.AsSpan(text.Length - length).SequenceEqual(stop.AsSpan(0, length)))
                {
                    longest = length;
                }
            }
        }

        return longest;
    }
}
