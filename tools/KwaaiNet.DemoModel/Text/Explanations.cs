namespace KwaaiNet.DemoModel.Text;

/// <summary>Explains the topics: in a few sentences, one sentence, one paragraph, three points or a numbered list, as asked.</summary>
internal sealed class Explanations : IExchangeSource
{
    private const string Be = "[Please explain|Explain|Can you explain|Could you explain|Describe|Tell me about]";

    private static readonly string[] s_plain =
    [
        "What {be} {n}?", "What {be} {n}?", "What {be} {n}?", "Explain {n}.", "[Please explain|Can you explain|Could you explain] {n}[.|?]", "Tell me about {n}.",
        "[Can you tell|Could you tell|Please tell] me about {n}[?|.]", "Describe {n}.", "What do you know about {n}?", "I want to know about {n}.",
        "I would like to learn about {n}.", "How would you explain {n}?", "What [exactly|really|] {be} {n}?", "Do you know what {n} {be}?",
        "Explain to me what {n} {be}.", "{n}?", "What about {n}?", "Explain {n} to [a beginner|me|a child|a friend] .", "Explain {n} [simply|in simple words].",
        "I do not understand {n}.", "Teach me about {n}.", "Give me an explanation of {n}.",
    ];

    private static readonly string[] s_sentence =
    [
        "[Explain|Describe|Summarize] {n} in [one|a single|1] sentence.", "What {be} {n} in one sentence?", "What {be} {n}, in one sentence?",
        "Give me a one-sentence [description|explanation|summary] of {n}.", "In one sentence, what {be} {n}?", "[Briefly explain|Define] {n}.", "What {be} {n}? [Be brief|One sentence|In one sentence|Answer in one sentence|Keep it short], please.",
        "What {be} {n}? Answer in one sentence.", "Give me a short definition of {n}.",
    ];

    private static readonly string[] s_paragraph =
    [
        Be + " {n} in [one|a|a short|a single] paragraph.", "Write [a|one|a short] paragraph about {n}.", "What {be} {n}? Answer in [one|a] paragraph.", "Give me a paragraph about {n}.",
    ];

    private static readonly string[] s_bullets =
    [
        Be + " {n} in [3|three] bullet points.", "Explain what {n} {be} in [3|three] bullet points.", "What {be} {n}? Use [three|3] bullet points.", "[Summarize|Describe] {n} [with|in] [three|3] bullets.",
        "{n} in [three|3] bullet points", "Give me [three|3] bullet points about {n}.", "Explain {n} in bullet points.",
    ];

    private static readonly string[] s_numbered =
    [
        "List [three|3] [facts|things] about {n}.", "[Name|Tell me|Give me] [three|3] [facts|things to know] about {n}.", "Give me a [numbered list|list] of [three|3] facts about {n}.", "Explain {n} in [three|3] numbered points.",
    ];

    private readonly List<Topic> _topics = Topic.Load();

    public Exchange Make(Random random)
    {
        Topic topic = random.Pick(_topics);
        (string name, bool plural) = random.Pick(topic.Names);
        double form = random.NextDouble();
        if (form < 0.32 && topic.Questions.Count > 0)
            return new Exchange(random.Pick(topic.Questions), Short(topic, random), Further(topic));
        (string[] questions, Func<Topic, Random, string> answer) = form switch
        {
            < 0.6 => (s_plain, (Func<Topic, Random, string>)Short),
            < 0.7 => (s_sentence, Sentence),
            < 0.8 => (s_paragraph, Paragraph),
            < 0.92 => (s_bullets, Bullets),
            _ => (s_numbered, Numbered),
        };
        string question = Phrase.Spell(random.Pick(questions), random, slot => slot == "n" ? name : plural ? "are" : "is").Replace(" .", ".", StringComparison.Ordinal).Replace("  ", " ", StringComparison.Ordinal);
        return new Exchange(char.ToUpperInvariant(question[0]) + question[1..], answer(topic, random), Further(topic));
    }

    /// <summary>An answer in a form that a system message asked for, whatever the question says.</summary>
    public Exchange Make(Random random, bool bullets)
    {
        Topic topic = random.Pick(_topics);
        (string name, bool plural) = random.Pick(topic.Names);
        string question = topic.Questions.Count > 0 && random.Chance(0.5)
            ? random.Pick(topic.Questions)
            : Phrase.Spell("[What {be} {n}?|Explain {n}.|Tell me about {n}.]", random, slot => slot == "n" ? name : plural ? "are" : "is");
        return new Exchange(question, bullets ? Bullets(topic, random) : Sentence(topic, random));
    }

    private static Func<Random, Exchange> Further(Topic topic) => random => random.Next(4) switch
    {
        0 => new Exchange(random.Spell("[Tell me more|More|Can you tell me more|Go on|Please go on|What else|Tell me more about it|More details, please][.|?|]"), More(topic, random), Further(topic)),
        1 => new Exchange(random.Spell("[In one sentence, please|Can you say that in one sentence|In one sentence|Shorter, please|Make it shorter|Say it in one sentence|Too long][.|?|]"), Sentence(topic, random), Further(topic)),
        2 => new Exchange(random.Spell("[As bullet points, please|In three bullet points|Give me three bullet points|Can you make that three bullet points|In bullet points][.|?|]"), Bullets(topic, random), Further(topic)),
        _ => new Exchange(random.Spell("[I do not understand|What do you mean|Can you explain that again|Say it again|Explain that again, please|Can you repeat that|Huh][.|?|]"), Short(topic, random), Further(topic)),
    };

    private static string Sentence(Topic topic, Random random) => random.Spell(random.Pick(topic.Definitions));

    private static string Short(Topic topic, Random random) =>
        string.Join(' ', [random.Spell(random.Pick(topic.Definitions)), .. random.Some(topic.Facts, random.Next(1, 3))]);

    private static string More(Topic topic, Random random) => string.Join(' ', random.Some(topic.Facts, Math.Min(2, topic.Facts.Count)));

    private static string Paragraph(Topic topic, Random random) =>
        string.Join(' ', [random.Spell(random.Pick(topic.Definitions)), .. random.Some(topic.Facts, Math.Min(3, topic.Facts.Count)), random.Pick(topic.Closings)]);

    private static string Bullets(Topic topic, Random random) => string.Join('\n', random.Some(topic.Facts, 3).Select(fact => "- " + fact));

    private static string Numbered(Topic topic, Random random) => string.Join('\n', random.Some(topic.Facts, 3).Select((fact, i) => $"{i + 1}. {fact}"));
}
