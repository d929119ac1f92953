namespace KwaaiNet.DemoModel.Text;

/// <summary>Tells short stories: a plot, and the hero, friend, place and treasure that fill it.</summary>
internal sealed class Stories : IExchangeSource
{
    private static readonly string[] s_asks =
    [
        "Tell me a [short |little |nice |]story.", "Tell me a [short |]story, please.", "[Write|Make up|Invent] a [short |little |]story.", "Can you tell me a [short |]story?", "A story, please.", "I want to hear a story.",
        "Please tell me a [bedtime |short |]story.", "Do you know a story?", "[Tell|Read] me a bedtime story.", "Story", "Tell a story.", "Write me a [short |]story.",
    ];

    private static readonly string[] s_asksAbout =
    [
        "Tell me a [short |little |nice |]story about {a}.", "[Write|Make up|Invent] a [short |little |]story about {a}.", "Can you tell me a [short |]story about {a}?", "A story about {a}, please.", "I want to hear a story about {a}.",
        "Please [tell|write] me a [short |]story about {a}.", "Do you know a story about {a}?", "Write me a story about {a}.", "Story about {a}", "Tell a story about {a}.",
    ];

    private readonly Dictionary<string, string[]> _words;
    private readonly List<(string Name, List<string> Lines)> _plots = [];

    public Stories()
    {
        string[] lines = [.. Materials.Lines(".stories.txt")];
        _words = Materials.WordLists(lines);
        foreach (string line in lines.Where(line => line.Length > 0 && !line.Contains(" = ", StringComparison.Ordinal)))
        {
            if (line.StartsWith("* ", StringComparison.Ordinal))
                _plots.Add((line[2..], []));
            else
                _plots[^1].Lines.Add(line);
        }
    }

    public Exchange Make(Random random)
    {
        (string plot, List<string> lines) = random.Pick(_plots);
        // A plot's people and treasures are always the same: a model this small cannot carry a name through a story, but it can know one.
        string[] cast = _words["cast " + plot];
        (string name, string friend, string friendName, string place, string thing, string food) = (cast[0], cast[1], cast[2], cast[3], cast[4], cast[5]);
        bool male = _words["boys"].Contains(name);
        string quality = cast[6], hero = random.Chance(0.5) ? cast[7] : random.Pick(_words["hero"]);
        if (male ? hero is "girl" or "princess" or "queen" or "witch" or "fairy" : hero is "boy" or "king" or "prince" or "wizard" or "fisherman")
            hero = cast[7];
        if (plot == "node")
            hero = "shard node";

        string question;
        if (random.Chance(0.3))
        {
            question = random.Spell(random.Pick(s_asks));
        }
        else
        {
            string about = About(random, plot, hero);
            question = Phrase.Spell(random.Pick(s_asksAbout), random, _ => about);
        }

        Dictionary<string, string> slots = new(StringComparer.Ordinal)
        {
            ["himself"] = male ? "himself" : "herself", ["ahero"] = $"a {quality} {hero}", ["Name"] = name, ["he"] = male ? "he" : "she", ["He"] = male ? "He" : "She", ["his"] = male ? "his" : "her", ["him"] = male ? "him" : "her",
            ["friend"] = friend, ["afriend"] = $"{Article(friend)} {friend}", ["AFriend"] = $"{(Article(friend) == "an" ? "An" : "A")} {friend}", ["Friend"] = friendName,
            ["place"] = place, ["thing"] = thing, ["food"] = food,
            ["Once"] = random.Chance(0.9) ? "Once upon a time" : "Once", ["a lantern"] = "a small lantern",
        };
        string story = string.Join(' ', lines.Select(line => Phrase.Spell(line, random, slot => slots[slot])));
        return new Exchange(question, story, further => further.Chance(0.5)
            ? Make(further) with { Question = further.Spell("[Another one|Another story|One more|Tell me another story|Tell me another one|Again][, please.|.|!|]") }
            : new Exchange(further.Spell("[That was nice|Nice story|I like it|Beautiful|What a nice story|Thank you for the story|Great story][.|!|]"), further.Spell("[I am glad that you like it! Shall I tell you another one?|Thank you! I like to make up stories.]")));
    }

    /// <summary>What a request wants the story to be about; always something that the story keeps.</summary>
    private string About(Random random, string plot, string hero) =>
        plot == "node" ? random.Spell("[a shard node|a node|KwaaiNet|a little node|a network|shards|a shard|the network]")
        : random.Chance(0.25) ? random.Pick(_words["theme " + plot])
        : random.Spell($"[{Article(hero)} {hero}|{Article(hero)} {hero}|a [little|brave|small|young|kind|clever] {hero}]");

    private static string Article(string noun) => "aeiou".Contains(noun[0], StringComparison.Ordinal) ? "an" : "a";
}
