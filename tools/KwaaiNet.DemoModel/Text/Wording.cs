namespace KwaaiNet.DemoModel.Text;

/// <summary>Writes a question as people type it: without capitals, without its last mark, politely, or in haste.</summary>
internal static class Wording
{
    private static readonly string[] s_openings = ["Please ", "Hi, ", "Hello, ", "Hey, ", "OK, ", "So, ", "And "];

    public static string Vary(string question, Random random)
    {
        if (question.Length == 0 || random.Chance(0.45))
            return question;
        bool oneLine = question.Length < 60;
        if (oneLine && random.Chance(0.08))
            question = random.Pick(s_openings) + LowerFirst(question);
        if (random.Chance(0.3))
            question = question.TrimEnd('.', '?', '!');
        if (random.Chance(0.3))
            question = question.ToLowerInvariant();
        else if (random.Chance(0.1))
            question = LowerFirst(question);
        if (random.Chance(0.06))
            question = question.Replace("'", "", StringComparison.Ordinal);
        if (random.Chance(0.05))
            question = question.Replace("What is", "What's", StringComparison.Ordinal).Replace("what is", "what's", StringComparison.Ordinal);
        if (oneLine && random.Chance(0.04))
            question += char.IsLetterOrDigit(question[^1]) ? " please" : " Thanks!";
        return question.Length == 0 ? "?" : question;
    }

    private static string LowerFirst(string text) =>
        text.Length > 1 && char.IsUpper(text[0]) && char.IsLower(text[1]) && !text.StartsWith("Kwaai", StringComparison.Ordinal) ? char.ToLowerInvariant(text[0]) + text[1..] : text;
}
