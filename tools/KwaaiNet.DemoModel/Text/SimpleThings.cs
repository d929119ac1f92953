namespace KwaaiNet.DemoModel.Text;

/// <summary>Says what simple things are.</summary>
internal sealed class SimpleThings : IExchangeSource
{
    private readonly (string Name, string[] Meaning)[] _things = [.. Materials.WordLists(".things.txt").Select(thing => (thing.Key, thing.Value))];

    public Exchange Make(Random random)
    {
        (string name, string[] meaning) = random.Pick(_things);
        string question = Phrase.Spell("[What is {n}?|What is {n}?|What's {n}?|Explain what {n} is.|Tell me what {n} is.|Do you know what {n} is?|Explain {n}.|Describe {n} in one sentence.|Define {n}.]", random, _ => name);
        return new Exchange(question, meaning[0]);
    }
}
