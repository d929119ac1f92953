namespace KwaaiNet.Cli.Bench.Soak;

/// <summary>What is asked in a soak, and by whom when: the same for the same seed, whatever the network does.</summary>
internal sealed class SoakPlan
{
    private const int MostConversations = 12;
    private const int LeastConversations = 4;

    // So that with few requests as well most are asked more than once.
    private const int RequestsAConversation = 4;
    private const int MostTurns = 4;

    // Longer ones say nothing more about arrivals and departures, and take the time of many.
    private const int MostPositions = 2_048;
    private const int CommonSystem = 96;

    private static readonly TimeSpan s_shortPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_longPause = TimeSpan.FromSeconds(2);

    private readonly int _seed;

    private SoakPlan(int seed, IReadOnlyList<ConversationShape> conversations)
    {
        _seed = seed;
        Conversations = conversations;
    }

    /// <summary>Whatever is asked is a turn of one of these.</summary>
    public IReadOnlyList<ConversationShape> Conversations { get; }

    /// <summary>Draws a plan.</summary>
    /// <param name="seed">What it is drawn from.</param>
    /// <param name="context">Positions the model was made for.</param>
    /// <param name="requests">How many requests there will be; null: not known, many.</param>
    public static SoakPlan Draw(int seed, int context, int? requests = null)
    {
        int conversations = Math.Clamp((requests ?? int.MaxValue) / RequestsAConversation, LeastConversations, MostConversations);
        Random random = new(seed);
        int room = Math.Min(context, MostPositions) * 9 / 10;
        // A first one of a single long prompt: every plan has prompts of all lengths.
        ConversationShape longest = new(0, EndsByItself: false, [new TurnShape(room / 2, 8)]);
        return new SoakPlan(seed, [longest, .. Enumerable.Range(1, conversations - 1).Select(_ => Conversation(random, room))]);
    }

    /// <summary>What one user does, without end.</summary>
    /// <param name="user">Which user, from 0 on.</param>
    public IEnumerable<SoakVisit> Visits(int user)
    {
        Random random = new(HashCode(_seed, user));
        while (true)
        {
            TimeSpan pause = random.Next(10) switch
            {
                < 5 => TimeSpan.Zero,
                < 9 => s_shortPause * random.NextDouble(),
                _ => s_longPause * random.NextDouble(),
            };
            int conversation = random.Next(Conversations.Count);
            bool leaves = random.Next(4) == 0;
            int turn = random.Next(Conversations[conversation].Turns.Count);
            int pieces = random.Next(1, 24);
            yield return new SoakVisit(pause, conversation, leaves ? turn : null, pieces);
        }
    }

    private static ConversationShape Conversation(Random random, int room)
    {
        int system = random.Next(3) == 0 && room > 4 * CommonSystem ? CommonSystem : 0;
        bool endsByItself = random.Next(2) == 0;
        int turns = random.Next(1, MostTurns + 1);
        List<TurnShape> drawn = [];
        room -= ConversationShape.Start(system);
        for (int i = 0; i < turns; i++)
        {
            // The first one fits also a small context.
            TurnShape turn = new(Math.Min(Prompt(random, room), Math.Max(4, room / 2)), Math.Min(Answer(random), Math.Max(4, room / 4)));
            room -= ConversationShape.Room(turn.Prompt, turn.Answer);
            if (room < 0 && i > 0) break;
            drawn.Add(turn);
        }

        return new ConversationShape(system, endsByItself, drawn);
    }

    // Many short ones, some of a page or several, few that fill a third of the context.
    private static int Prompt(Random random, int room) => random.Next(10) switch
    {
        < 5 => random.Next(6, 32),
        < 8 => random.Next(48, 200),
        _ => random.Next(200, Math.Max(201, room / 3)),
    };

    private static int Answer(Random random) => random.Next(10) switch
    {
        < 4 => random.Next(4, 16),
        < 8 => random.Next(16, 64),
        _ => random.Next(64, 128),
    };

    // System.HashCode differs from one process to the next.
    private static int HashCode(int seed, int user) => unchecked((seed * 31) + ((user + 1) * 1_000_003));
}
