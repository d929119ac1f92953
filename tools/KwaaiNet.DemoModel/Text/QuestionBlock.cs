using System.Globalization;

namespace KwaaiNet.DemoModel.Text;

/// <summary>Questions that share their answers, and how often they come up.</summary>
internal sealed class QuestionBlock
{
    public int Weight { get; private init; }

    public List<string> Questions { get; } = [];

    public List<string> Answers { get; } = [];

    /// <summary>Reads the question files: a block starts at <c>* weight</c>, then <c>?</c> questions and <c>&gt;</c> answers, all templates.</summary>
    public static List<QuestionBlock> Load()
    {
        List<QuestionBlock> blocks = [];
        foreach (string line in Materials.Lines(".qa"))
        {
            if (line.Length == 0)
                continue;
            string text = line[2..];
            switch (line[0])
            {
                case '*': blocks.Add(new QuestionBlock { Weight = int.Parse(text, CultureInfo.InvariantCulture) }); break;
                case '?': blocks[^1].Questions.Add(text); break;
                case '>': blocks[^1].Answers.Add(text); break;
                default: throw new FormatException($"Not a line of a question block: {line}");
            }
        }

        return blocks;
    }
}
