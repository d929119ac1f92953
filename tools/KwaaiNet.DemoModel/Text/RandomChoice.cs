namespace KwaaiNet.DemoModel.Text;

/// <summary>Ways to choose.</summary>
internal static class RandomChoice
{
    public static T Pick<T>(this Random random, IReadOnlyList<T> choices) => choices[random.Next(choices.Count)];

    public static bool Chance(this Random random, double probability) => random.NextDouble() < probability;

    public static string Spell(this Random random, string template) =>
        Phrase.Spell(template, random, name => throw new FormatException($"Nothing to stand for {{{name}}}."));

    /// <summary>Some of the items, in the order they stand in.</summary>
    public static List<T> Some<T>(this Random random, IReadOnlyList<T> items, int count)
    {
        int[] order = [.. Enumerable.Range(0, items.Count)];
        random.Shuffle(order);
        return [.. order.Take(count).Order().Select(index => items[index])];
    }
}
