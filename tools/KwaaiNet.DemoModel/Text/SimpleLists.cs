namespace KwaaiNet.DemoModel.Text;

/// <summary>Lists three of a kind.</summary>
internal sealed class SimpleLists : IExchangeSource
{
    private readonly (string Kind, string[] Members)[] _kinds = [.. Materials.WordLists(".lists.txt").Select(kind => (kind.Key, kind.Value))];

    public Exchange Make(Random random)
    {
        (string kind, string[] members) = random.Pick(_kinds);
        string[] some = members[..3]; // always the same ones: a choice would have to remember what it chose
        bool bullets = random.Chance(0.25);
        string question = Phrase.Spell("[List|Name|Give me|Tell me|Can you name|Write down] [three|3] {k}", random, _ => kind);
        bool asks = question.StartsWith("Can", StringComparison.Ordinal);
        if (bullets)
            return new Exchange(question + " as bullet points" + (asks ? "?" : "."), string.Join('\n', some.Select(member => "- " + Capital(member))));
        return new Exchange(question + (asks ? "?" : "."), string.Join('\n', some.Select((member, i) => $"{i + 1}. {Capital(member)}")));
    }

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
