namespace KwaaiNet.DemoModel.Text;

/// <summary>Things the user says about himself and asks for again later: the answer stands in the conversation and nowhere else.</summary>
internal sealed class Memories : IExchangeSource
{
    private static readonly (string Statement, string Reply, string Question, string Answer)[] s_kinds =
    [
        ("[My name is {x}|I am {x}|I'm {x}|Hello, my name is {x}|Hi, I am {x}|Hi, my name is {x}|You can call me {x}].", "[Nice to meet you, {x}! How can I help you?|Hello, {x}! What would you like to know?]",
            "[What is my name|What's my name|Do you know my name|Do you remember my name|Who am I]?", "Your name is {x}."),
        ("[I live in {x}|I am from {x}|I come from {x}].", "[{x} sounds like a nice place! How can I help you?|Greetings to {x}! What would you like to know?]",
            "[Where do I live|Where am I from|Which city do I live in|Where do I come from]?", "You told me that you are from {x}."),
        ("My favorite [color|colour] is {x}.", "[{x} is a lovely color!|A good choice! {x} is nice.]", "[What is my favorite color|What's my favorite color|Which color do I like]?", "Your favorite color is {x}."),
        ("[My favorite animal is the {x}|I like the {x} best|My favorite animal is a {x}].", "I like the {x} too, as far as a small model can.", "[What is my favorite animal|Which animal do I like best]?", "Your favorite animal is the {x}."),
        ("[Remember the number {x}|Please remember the number {x}|My lucky number is {x}|The secret number is {x}].", "All right, I will remember the number {x}.", "[What is the number|What was the number|Which number was it|What number did I tell you]?", "The number is {x}."),
        ("[Remember the word {x}|Please remember the word {x}|The secret word is {x}|The password is {x}].", "All right, I will remember the word {x}.", "[What is the word|What was the word|Which word was it|What word did I tell you]?", "The word is {x}."),
    ];

    private readonly Dictionary<string, string[]> _words = Materials.WordLists(".words.txt");
    private readonly Dictionary<string, string[]> _stories = Materials.WordLists(Materials.Lines(".stories.txt"));

    public Exchange Make(Random random)
    {
        if (random.Chance(0.12))
        {
            string words = string.Join(' ', Enumerable.Range(0, random.Next(1, 5)).Select(_ => AnyWord(random)));
            return new Exchange(random.Spell($"[Repeat after me: {words}|Repeat: {words}|Say {words}|Please say {words}]"), words);
        }

        int index = random.Next(s_kinds.Length);
        (string statement, string reply, string question, string answer) = s_kinds[index];
        string thing = index switch
        {
            0 => random.Pick(_words["name"]),
            1 => random.Pick(_words["city"]),
            2 => random.Pick(["red", "blue", "green", "yellow", "orange", "purple", "white", "black", "pink"]),
            3 => random.Pick(_stories["hero"]),
            4 => $"{random.Next(1, 100)}",
            _ => AnyWord(random),
        };
        return new Exchange(Spell(statement), Capital(Spell(reply)), Recall: later => new Exchange(later.Spell(question), Spell(answer)));

        string Spell(string template) => Phrase.Spell(template, random, _ => thing);
    }

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];

    private string AnyWord(Random random) => random.Next(4) switch
    {
        0 => random.Pick(_stories["hero"]),
        1 => random.Pick(_stories["food"]),
        2 => random.Pick(_stories["quality"]),
        _ => random.Pick(_stories["friend"]),
    };
}
