using System.Text.RegularExpressions;

namespace KwaaiNet.CandelEngine.Text.Tokenization;

/// <summary>The kinds of steps a <see cref="PreTokenizer"/> takes.</summary>
internal static class PreTokenizerSteps
{
    /// <summary>Parts a piece into the matches of an expression and what lies between them.</summary>
    public static PreTokenizer.Step Matching(Regex expression) => (piece, offset, ends) =>
    {
        int done = 0;
        foreach (ValueMatch match in expression.EnumerateMatches(piece))
        {
            if (match.Length == 0)
                continue;
            if (match.Index > done)
                ends.Add(offset + match.Index);
            done = match.Index + match.Length;
            ends.Add(offset + done);
        }

        if (done < piece.Length)
            ends.Add(offset + piece.Length);
    };

    /// <summary>Parts runs of numbers into groups of three, counted from the right, so that 1234567 is 1, 234, 567.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="offset">Where it starts.</param>
    /// <param name="ends">Receives the ends.</param>
    /// <remarks>As an expression, <c>\d{1,3}(?=(\d{3})*\b)</c> would look to the run's end from each of its digits.</remarks>
    public static void GroupNumbers(ReadOnlySpan<char> piece, int offset, List<int> ends)
    {
        int done = 0;
        for (int at = 0; at < piece.Length;)
        {
            if (!char.IsNumber(piece[at]))
            {
                at++;
                continue;
            }

            int end = at + 1;
            while (end < piece.Length && char.IsNumber(piece[end]))
                end++;
            if (at > done)
                ends.Add(offset + at);
            for (int part = at + ((end - at - 1) % 3) + 1; part <= end; part += 3)
                ends.Add(offset + part);
            done = at = end;
        }

        if (done < piece.Length)
            ends.Add(offset + piece.Length);
    }

    /// <summary>Parts off the white space a piece ends in.</summary>
    /// <param name="piece">The piece.</param>
    /// <param name="offset">Where it starts.</param>
    /// <param name="ends">Receives the ends.</param>
    /// <remarks>As an expression, <c>\s+$</c> would look through every run of spaces from each of its spaces.</remarks>
    public static void PartTrailingSpace(ReadOnlySpan<char> piece, int offset, List<int> ends)
    {
        int end = piece.TrimEnd().Length;
        if (end > 0)
            ends.Add(offset + end);
        if (end < piece.Length)
            ends.Add(offset + piece.Length);
    }
}
