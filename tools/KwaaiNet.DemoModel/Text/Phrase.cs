using System.Text;

namespace KwaaiNet.DemoModel.Text;

/// <summary>Spells out a template: <c>[a|b]</c> is one of its choices, which may nest, and <c>{name}</c> is looked up.</summary>
internal static class Phrase
{
    /// <param name="template">The template; <c>\n</c> in it, as two characters, is a line's end, and <c>\[</c> and <c>\{</c> are themselves.</param>
    /// <param name="random">Makes the choices.</param>
    /// <param name="lookUp">What stands for a name in braces; may itself be a template.</param>
    public static string Spell(string template, Random random, Func<string, string> lookUp)
    {
        StringBuilder result = new();
        int at = 0;
        Spell(template, ref at, result, random, lookUp, top: true);
        return result.ToString();
    }

    private static void Spell(string template, ref int at, StringBuilder result, Random random, Func<string, string> lookUp, bool top)
    {
        while (at < template.Length)
        {
            char c = template[at];
            if (!top && c is '|' or ']')
                return;
            at++;
            switch (c)
            {
                case '[':
                    Choose(template, ref at, result, random, lookUp);
                    break;
                case '{':
                    int end = template.IndexOf('}', at);
                    result.Append(Spell(lookUp(template[at..end]), random, lookUp));
                    at = end + 1;
                    break;
                case '\\' when at < template.Length && template[at] == 'n':
                    result.Append('\n');
                    at++;
                    break;
                case '\\' when at < template.Length && template[at] is '[' or '{':
                    result.Append(template[at++]);
                    break;
                default:
                    result.Append(c);
                    break;
            }
        }

        if (!top)
            throw new FormatException($"A bracket is not closed in: {template}");
    }

    private static void Choose(string template, ref int at, StringBuilder result, Random random, Func<string, string> lookUp)
    {
        // Every choice is spelled, though one is kept: the same random numbers are drawn whichever wins.
        List<string> choices = [];
        do
        {
            StringBuilder choice = new();
            Spell(template, ref at, choice, random, lookUp, top: false);
            choices.Add(choice.ToString());
        }
        while (template[at++] == '|');
        result.Append(choices[random.Next(choices.Count)]);
    }
}
