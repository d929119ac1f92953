using KwaaiNet.DemoModel.Text;
using KwaaiNet.DemoModel.Tokens;

namespace KwaaiNet.DemoModel.Training;

/// <summary>A conversation as token ids in the chat template's form, and how much each token's prediction counts.</summary>
internal sealed class EncodedConversation
{
    /// <summary>Questions teach a little language too, but it is the answers that the model is for.</summary>
    private const float QuestionWeight = 0.1f;

    public EncodedConversation(Conversation conversation, BytePairVocabulary vocabulary)
    {
        foreach (Turn turn in conversation.Turns)
        {
            Add(vocabulary.MessageStart, QuestionWeight);
            // The role's line and the text are one stretch between special tokens, so an engine cuts words across them: so do we.
            int heading = vocabulary.Count(turn.Role + "\n");
            vocabulary.Encode($"{turn.Role}\n{turn.Text}", Ids);
            Weigh(QuestionWeight, heading);
            Weigh(turn.IsAnswer ? 1 : QuestionWeight, Ids.Count - Weights.Count);
            Add(vocabulary.MessageEnd, turn.IsAnswer ? 1 : QuestionWeight);
            vocabulary.Encode("\n", Ids);
            Weigh(0, 1);
        }

        void Add(int id, float weight)
        {
            Ids.Add(id);
            Weights.Add(weight);
        }

        void Weigh(float weight, int count) => Weights.AddRange(Enumerable.Repeat(weight, count));
    }

    public List<int> Ids { get; } = [];

    public List<float> Weights { get; } = [];
}
