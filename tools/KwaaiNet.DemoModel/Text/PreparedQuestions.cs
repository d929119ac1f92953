namespace KwaaiNet.DemoModel.Text;

/// <summary>The question blocks: each question with any of its block's answers.</summary>
internal sealed class PreparedQuestions : IExchangeSource
{
    private readonly List<QuestionBlock> _blocks = [.. QuestionBlock.Load().SelectMany(block => Enumerable.Repeat(block, block.Weight))];
    private readonly Dictionary<string, string[]> _words = Materials.WordLists(".words.txt");

    public Exchange Make(Random random)
    {
        QuestionBlock block = random.Pick(_blocks);
        Dictionary<string, string> chosen = new(StringComparer.Ordinal);
        string question = Phrase.Spell(random.Pick(block.Questions), random, name => chosen[name] = random.Pick(_words[name]));
        string answer = Phrase.Spell(random.Pick(block.Answers), random, name => chosen.TryGetValue(name, out string? word) ? word : random.Pick(_words[name]));
        return new Exchange(question.Replace("  ", " ", StringComparison.Ordinal).Trim(), answer);
    }
}
