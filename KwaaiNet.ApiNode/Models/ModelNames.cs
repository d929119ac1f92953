namespace KwaaiNet.ApiNode.Models;

/// <summary>Finds names of models as people write them: <c>KWAAI-demo</c> and <c>kwaai-demo:latest</c> are <c>kwaai-demo</c>.</summary>
internal static class ModelNames
{
    // What Ollama's clients put behind a name without a tag.
    private const string Latest = ":latest";

    /// <summary>The configured name that is meant; null when there is none. The exact one comes first, then one without regard to case, then one with or without <c>:latest</c>.</summary>
    /// <param name="names">The configured names.</param>
    /// <param name="asked">The name as it was written.</param>
    public static string? Find(IEnumerable<string> names, string asked)
    {
        string other = asked.EndsWith(Latest, StringComparison.OrdinalIgnoreCase) ? asked[..^Latest.Length] : asked + Latest;
        string? found = null;
        int best = int.MaxValue;
        foreach (string name in names)
        {
            int distance = name == asked ? 0
                : name.Equals(asked, StringComparison.OrdinalIgnoreCase) ? 1
                : name == other ? 2
                : name.Equals(other, StringComparison.OrdinalIgnoreCase) ? 3
                : int.MaxValue;
            if (distance < best)
            {
                (found, best) = (name, distance);
            }
        }

        return found;
    }
}
