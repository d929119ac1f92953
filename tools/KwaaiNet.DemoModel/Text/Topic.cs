namespace KwaaiNet.DemoModel.Text;

/// <summary>Something the model can explain: its names, whole questions about it, definitions, facts in their order, and closing words.</summary>
internal sealed class Topic
{
    /// <summary>How a question names it, and whether that is a plural.</summary>
    public List<(string Name, bool Plural)> Names { get; } = [];

    public List<string> Questions { get; } = [];

    public List<string> Definitions { get; } = [];

    public List<string> Facts { get; } = [];

    public List<string> Closings { get; } = [];

    /// <summary>Reads the topic files: a topic starts at <c>=</c>, then n name (n+ plural), q question, d definition, f fact, c closing.</summary>
    public static List<Topic> Load()
    {
        List<Topic> topics = [];
        foreach (string line in Materials.Lines(".topic"))
        {
            if (line.Length == 0)
                continue;
            string[] parts = line.Split(' ', 2);
            if (parts[0] == "=")
            {
                topics.Add(new Topic());
                continue;
            }

            Topic topic = topics[^1];
            switch (parts[0])
            {
                case "n": topic.Names.Add((parts[1], false)); break;
                case "n+": topic.Names.Add((parts[1], true)); break;
                case "q": topic.Questions.Add(parts[1]); break;
                case "d": topic.Definitions.Add(parts[1]); break;
                case "f": topic.Facts.Add(parts[1]); break;
                case "c": topic.Closings.Add(parts[1]); break;
                default: throw new FormatException($"Not a line of a topic: {line}");
            }
        }

        return topics;
    }
}
