namespace KwaaiNet.DemoModel.Text;

/// <summary>Sums, differences and products of small numbers.</summary>
internal sealed class SimpleSums : IExchangeSource
{
    public Exchange Make(Random random)
    {
        int a = random.Next(11), b = random.Next(11);
        (string sign, string word, int result) = random.Next(3) switch
        {
            0 => ("+", "plus", a + b),
            1 => ("-", "minus", a - b),
            _ => (random.Chance(0.5) ? "*" : "x", "times", a * b),
        };
        if (sign == "-" && result < 0)
            (a, b, result) = (b, a, -result);
        string question = random.Spell($"[What is {a} {sign} {b}?|What is {a} {word} {b}?|{a} {sign} {b}|{a} {sign} {b} =|Calculate {a} {sign} {b}.|How much is {a} {word} {b}?|What's {a} {sign} {b}?]");
        return new Exchange(question, sign == "-" || sign == "+" ? $"{a} {sign} {b} is {result}." : $"{a} times {b} is {result}.");
    }
}
