using KwaaiNet.DemoModel.Text;
using KwaaiNet.DemoModel.Tokens;

namespace KwaaiNet.DemoModel.Commands;

/// <summary>The ignored folder that the steps hand their results on in.</summary>
/// <param name="Path">Where it is.</param>
internal sealed record WorkFolder(string Path)
{
    /// <summary>Conversations that the vocabulary is learned from.</summary>
    private const int VocabularyConversations = 20_000;

    public string Text => System.IO.Path.Combine(Path, "text.txt");

    public string Vocabulary => System.IO.Path.Combine(Path, "vocabulary.txt");

    public string Checkpoint => System.IO.Path.Combine(Path, "checkpoint.bin");

    /// <summary>Learns the vocabulary from generated text and keeps it in the folder.</summary>
    public BytePairVocabulary LearnVocabulary(int seed)
    {
        Directory.CreateDirectory(Path);
        ConversationGenerator generator = new(seed);
        IEnumerable<string> texts = Enumerable.Range(0, VocabularyConversations)
            .SelectMany(number => generator.Make(number, 512).Turns.Select(turn => $"{turn.Role}\n{turn.Text}"));
        BytePairVocabulary vocabulary = BytePairTrainer.Train(texts, Model.ModelShape.Vocabulary - 256 - BytePairVocabulary.Specials.Count);
        vocabulary.Save(Vocabulary);
        return vocabulary;
    }

    /// <summary>The vocabulary that the last training learned.</summary>
    public BytePairVocabulary LoadVocabulary() => BytePairVocabulary.Load(Vocabulary);
}
