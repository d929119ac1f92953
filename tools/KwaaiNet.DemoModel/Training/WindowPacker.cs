using KwaaiNet.DemoModel.Text;
using KwaaiNet.DemoModel.Tokens;

namespace KwaaiNet.DemoModel.Training;

/// <summary>Fills windows of equal length with whole conversations: each starts with one, as a prompt does, and none is cut.</summary>
/// <remarks>Conversation i of a seed is always the same, so training can be resumed by number.</remarks>
internal sealed class WindowPacker(ConversationGenerator generator, BytePairVocabulary vocabulary, int length, long next = 0)
{
    private const int WaitingRoom = 48;

    private readonly List<EncodedConversation> _waiting = [];

    /// <summary>The number of the first conversation that has not been asked for.</summary>
    public long Next { get; private set; } = next;

    /// <summary>Fills one window of <c>length + 1</c> tokens; the last is only a target.</summary>
    public void Fill(Span<long> ids, Span<float> weights)
    {
        ids.Fill(vocabulary.EndOfText);
        weights.Clear();
        for (int at = 0; at <= length;)
        {
            Refill();
            int room = length + 1 - at;
            int choice = _waiting.FindIndex(waiting => waiting.Ids.Count <= room);
            if (choice < 0)
                return;
            EncodedConversation conversation = _waiting[choice];
            _waiting.RemoveAt(choice);
            for (int i = 0; i < conversation.Ids.Count; i++)
                (ids[at + i], weights[at + i]) = (conversation.Ids[i], conversation.Weights[i]);
            at += conversation.Ids.Count + 1; // the gap keeps its end-of-text token
        }
    }

    private void Refill()
    {
        while (_waiting.Count < WaitingRoom)
        {
            EncodedConversation conversation = new(generator.Make(Next++, length), vocabulary);
            if (conversation.Ids.Count <= length + 1)
                _waiting.Add(conversation);
        }
    }
}
