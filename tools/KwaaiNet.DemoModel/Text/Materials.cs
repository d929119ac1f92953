using System.Reflection;

namespace KwaaiNet.DemoModel.Text;

/// <summary>The text files that travel inside the tool.</summary>
internal static class Materials
{
    /// <summary>The lines of every file whose name ends so, in the order of the names; empty lines stay, comments go.</summary>
    public static IEnumerable<string> Lines(string ending)
    {
        Assembly assembly = typeof(Materials).Assembly;
        foreach (string name in assembly.GetManifestResourceNames().Where(name => name.EndsWith(ending, StringComparison.Ordinal)).Order(StringComparer.Ordinal))
        {
            using StreamReader reader = new(assembly.GetManifestResourceStream(name)!);
            while (reader.ReadLine() is { } line)
            {
                if (!line.StartsWith('#'))
                    yield return line.TrimEnd();
            }
        }
    }

    /// <summary>A file of lines <c>name = choice|choice</c>.</summary>
    public static Dictionary<string, string[]> WordLists(string ending) => WordLists(Lines(ending));

    /// <summary>Those of the lines that read <c>name = choice|choice</c>.</summary>
    public static Dictionary<string, string[]> WordLists(IEnumerable<string> lines) =>
        lines.Select(line => line.Split(" = ", 2)).Where(parts => parts.Length == 2)
            .ToDictionary(parts => parts[0], parts => parts[1].Split('|'), StringComparer.Ordinal);
}
