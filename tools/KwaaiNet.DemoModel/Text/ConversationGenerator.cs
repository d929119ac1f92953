namespace KwaaiNet.DemoModel.Text;

/// <summary>Makes up conversations without end: conversation i of a seed is always the same one.</summary>
internal sealed class ConversationGenerator(int seed)
{
    private static readonly string[] s_systemMessages =
    [
        "You are a helpful assistant.", "You are a helpful assistant.", "You are kwaai-demo, a small model of KwaaiNet.", "You are a friendly assistant.", "You are a helpful AI assistant.",
        "You are an assistant that answers questions about KwaaiNet.", "Answer the user's questions.", "Be kind and helpful.", "You are a helpful and honest assistant. Keep your answers short.",
    ];

    private static readonly string[] s_sentenceMessages = ["Answer in one sentence.", "Always answer in one sentence.", "You are a helpful assistant. Answer in one sentence.", "Answer briefly.", "Keep your answers to one sentence."];

    private static readonly string[] s_bulletMessages = ["Answer in three bullet points.", "Always answer with three bullet points.", "You are a helpful assistant. Use bullet points.", "Use bullet points."];

    private readonly Explanations _explanations = new();

    private readonly (IExchangeSource Source, int Weight)[] _sources =
    [
        (new Explanations(), 32), (new PreparedQuestions(), 50), (new Stories(), 9), (new SimpleThings(), 4), (new SimpleLists(), 4),
    ];

    /// <summary>Makes one conversation.</summary>
    /// <param name="number">Which.</param>
    /// <param name="window">Tokens there is room for; where there is much, some conversations are long.</param>
    public Conversation Make(long number, int window)
    {
        Random random = new(HashCode(seed, number));
        List<Turn> turns = [];
        bool formatted = random.Chance(0.03), bullets = random.Chance(0.5);
        if (formatted)
            turns.Add(new Turn("system", random.Pick(bullets ? s_bulletMessages : s_sentenceMessages)));
        else if (random.Chance(0.15))
            turns.Add(new Turn("system", random.Pick(s_systemMessages)));
        int exchanges = window > 512 && random.Chance(0.4) ? random.Next(5, 14) : random.NextDouble() switch { < 0.6 => 1, < 0.8 => 2, < 0.93 => 3, _ => 4 };
        int letters = 0;
        Exchange? last = null;
        for (int i = 0; i < exchanges && letters < window * 3; i++)
        {
            last = formatted ? _explanations.Make(random, bullets)
                : last?.FollowUp is { } followUp && random.Chance(0.5) ? followUp(random)
                : Any(random);
            string question = Wording.Vary(last.Question, random);
            turns.Add(new Turn("user", question));
            turns.Add(new Turn("assistant", last.Answer));
            letters += question.Length + last.Answer.Length;
        }

        return new Conversation(turns);
    }

    private static int HashCode(int seed, long number)
    {
        // SplitMix64: neighbouring numbers must not give neighbouring random sequences.
        ulong mixed = unchecked(((ulong)(uint)seed << 32) + ((ulong)number * 0x9E3779B97F4A7C15));
        mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9);
        mixed = unchecked((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB);
        return (int)(mixed >> 33);
    }

    private Exchange Any(Random random)
    {
        int choice = random.Next(_sources.Sum(source => source.Weight));
        foreach ((IExchangeSource source, int weight) in _sources)
        {
            if (choice < weight)
                return source.Make(random);
            choice -= weight;
        }

        throw new InvalidOperationException("The weights do not add up.");
    }
}
