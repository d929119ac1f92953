using System.Text;

namespace KwaaiNet.DemoModel.Tokens;

/// <summary>Learns a byte-level byte-pair vocabulary: the most frequent neighbours become one token, again and again.</summary>
internal static class BytePairTrainer
{
    /// <summary>Learns merges until the vocabulary is full. Ties go to the smaller pair of ids, so that the same text gives the same vocabulary.</summary>
    /// <param name="texts">The text to learn from, without special tokens.</param>
    /// <param name="merges">How many merges to learn.</param>
    public static BytePairVocabulary Train(IEnumerable<string> texts, int merges)
    {
        (int[] Ids, long Count)[] words = CountWords(texts);
        List<(int Left, int Right)> learned = [];
        List<string> names = [.. Enumerable.Range(0, 256).Select(value => ByteAlphabet.Of((byte)value).ToString())];
        HashSet<string> taken = new(names, StringComparer.Ordinal);
        while (learned.Count < merges)
        {
            Dictionary<(int Left, int Right), long> counts = [];
            foreach ((int[] ids, long count) in words)
            {
                for (int i = 1; i < ids.Length; i++)
                    counts[(ids[i - 1], ids[i])] = counts.GetValueOrDefault((ids[i - 1], ids[i])) + count;
            }

            if (counts.Count == 0)
                throw new InvalidOperationException($"The text has only {learned.Count} pairs to merge, not {merges}.");

            // A token's name is its bytes, so a pair that spells a token that is there already must stay unmerged.
            (int Left, int Right) best = counts.OrderByDescending(pair => pair.Value).ThenBy(pair => pair.Key)
                .First(pair => !taken.Contains(names[pair.Key.Left] + names[pair.Key.Right])).Key;
            int merged = 256 + learned.Count;
            learned.Add(best);
            names.Add(names[best.Left] + names[best.Right]);
            taken.Add(names[merged]);
            for (int w = 0; w < words.Length; w++)
                words[w].Ids = Merge(words[w].Ids, best, merged);
        }

        return new BytePairVocabulary(learned);
    }

    private static (int[] Ids, long Count)[] CountWords(IEnumerable<string> texts)
    {
        Dictionary<string, long> counts = new(StringComparer.Ordinal);
        foreach (string text in texts)
        {
            foreach (string word in Words.Cut(text))
                counts[word] = counts.GetValueOrDefault(word) + 1;
        }

        return [.. counts.OrderBy(word => word.Key, StringComparer.Ordinal)
            .Select(word => (Encoding.UTF8.GetBytes(word.Key).Select(value => (int)value).ToArray(), word.Value))];
    }

    private static int[] Merge(int[] ids, (int Left, int Right) pair, int merged)
    {
        int at = -1;
        for (int i = 1; i < ids.Length && at < 0; i++)
        {
            if (ids[i - 1] == pair.Left && ids[i] == pair.Right)
                at = i - 1;
        }

        if (at < 0)
            return ids;
        List<int> result = new(ids.Length);
        for (int i = 0; i < ids.Length; i++)
        {
            bool match = i + 1 < ids.Length && ids[i] == pair.Left && ids[i + 1] == pair.Right;
            result.Add(match ? merged : ids[i]);
            if (match)
                i++;
        }

        return [.. result];
    }
}
