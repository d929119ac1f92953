using System.Text;
using KwaaiNet.CandelEngine.Text;

namespace KwaaiNet.Cli.Bench.Network;

/// <summary>Words that mean nothing, as many as make a number of tokens. The same seed gives the same words.</summary>
internal static class BenchText
{
    private const string Letters = "etaoinshrdlucm";

    /// <summary>A text of at most that many tokens, and at least all but the last word's.</summary>
    public static string OfTokens(ITokenizer tokenizer, int tokens, int seed)
    {
        if (tokens <= 0) return "";
        Random random = new(seed);
        List<string> words = [];
        while (words.Count < tokens) words.Add(Word(random));

        // More words never make fewer tokens: halved between a number that fits and one that does not.
        int fitting = 1;
        int most = words.Count + 1;
        while (most - fitting > 1)
        {
            int middle = (fitting + most) / 2;
            if (tokenizer.Encode(string.Join(' ', words.Take(middle))).Length <= tokens) fitting = middle;
            else most = middle;
        }

        return string.Join(' ', words.Take(fitting));
    }

    private static string Word(Random random)
    {
        StringBuilder word = new();
        for (int length = random.Next(2, 6); length > 0; length--) word.Append(Letters[random.Next(Letters.Length)]);
        return word.ToString();
    }
}
