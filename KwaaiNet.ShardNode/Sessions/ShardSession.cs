using Google.Protobuf;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.CandelEngine.Sampling;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.ShardNode.Forwarding;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Kv;
using KwaaiNet.ShardNode.Prefixes;
using KwaaiNet.ShardNode.Telemetry;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>One session's part on this shard: its cache, its place in the chain, and the steps that wait. Belongs to the step loop alone.</summary>
internal sealed class ShardSession
{
    /// <summary>Steps of a prompt that may wait at the next shard: one that runs there, one behind it, and two on their way.</summary>
    public const int MaxPromptsAhead = 4;

    /// <summary>The id as a key.</summary>
    public required SessionId Id { get; init; }

    /// <summary>The id as it travels.</summary>
    public required ByteString WireId { get; init; }

    /// <summary>The stream it was opened on.</summary>
    public required SessionOwner Owner { get; init; }

    /// <summary>All that its owner's node has here.</summary>
    public required OwnerShare Share { get; init; }

    /// <summary>When it was opened, as <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public required long OpenedAt { get; init; }

    /// <summary>The blocks it runs here.</summary>
    public required BlockRange Range { get; init; }

    /// <summary>How hidden states are rounded and travel.</summary>
    public required HiddenFormat Format { get; init; }

    /// <summary>Keys and values of its positions.</summary>
    public required KvCache Cache { get; init; }

    /// <summary>Its pages that can be found by others.</summary>
    public required SessionPages Pages { get; init; }

    /// <summary>How much KV it is expected to need.</summary>
    public required KvNeed Need { get; init; }

    /// <summary>When its request came to its API node, in Unix milliseconds: where KV runs out, the last to come is the first to go.</summary>
    public required long RequestedUnixMs { get; init; }

    /// <summary>Node ids steps are accepted from.</summary>
    public required string[] StepSources { get; init; }

    /// <summary>Where hidden states go; null on the last shard.</summary>
    public IHop? Next { get; init; }

    /// <summary>Where sampled tokens go; null unless this is the last shard of a longer chain.</summary>
    public IHop? Ring { get; init; }

    /// <summary>Whether this is the chain's last shard.</summary>
    public bool IsLast => Next is null;

    /// <summary>Whether this is the whole chain.</summary>
    public bool IsWhole => IsLast && Range.First == 0;

    /// <summary>How tokens are drawn; last shard only.</summary>
    public required SamplingParameters Sampling { get; init; }

    /// <summary>The tokens its penalties know; null when no penalty is set. Last shard only.</summary>
    public SessionHistory? History { get; init; }

    /// <summary>Tokens the ring draws by itself; last shard only.</summary>
    public uint MaxNewTokens { get; init; }

    /// <summary>Tokens at which the ring stops; last shard only.</summary>
    public required HashSet<int> EndTokens { get; init; }

    /// <summary>The step handed to the blocks; one object for the whole session.</summary>
    public required BlockStep Step { get; init; }

    /// <summary>Prefill and decode as spans.</summary>
    public required HopSpans Spans { get; init; }

    /// <summary>Steps taken in and not yet done; the first may be half done.</summary>
    public Queue<IncomingStep> Waiting { get; } = new();

    /// <summary>Whether the session stands in the loop's line of those with work.</summary>
    public bool InLine { get; set; }

    /// <summary>Steps taken in: the number the next new step must have.</summary>
    public ulong TakenSteps { get; set; }

    /// <summary>Positions after all steps taken in.</summary>
    public uint TakenPositions { get; set; }

    /// <summary>Steps run to their end.</summary>
    public ulong DoneSteps { get; set; }

    /// <summary>Rows of the first waiting step that have run.</summary>
    public int RowsDone { get; set; }

    /// <summary>Rows of the first waiting step that have not run.</summary>
    public int RowsLeft => (int)Waiting.Peek().Frame.Rows - RowsDone;

    /// <summary>Whether the first waiting step is one row: a token's, not a prompt's.</summary>
    public bool NextIsStep => RowsDone == 0 && RowsLeft == 1;

    /// <summary>The result that the first waiting step is filling; null before its first turn.</summary>
    public StepResult? Filling { get; set; }

    /// <summary>Whether its prompt is done, as far as one can see from here: a step of one row has come behind others.</summary>
    public bool Decodes { get; set; }

    /// <summary>The number of the turn in which its last step ran.</summary>
    public ulong RanInTurn { get; set; }

    /// <summary>The last done step's result.</summary>
    public StepResult? Kept { get; set; }

    /// <summary>Steps of prompts that were sent on and still wait at the next shard.</summary>
    public int PromptsAhead { get; set; }

    /// <summary>
    /// Whether a prompt may go on: the next shard has room, and not a window full of this very session. One that is slow holds back the sessions
    /// it is slow with; its line is left to the others.
    /// </summary>
    public bool HasRoomAhead => Next is null || (Next.HasRoom && (PromptsAhead < MaxPromptsAhead || !Next.Acknowledges));

    /// <summary>Whether a token is drawn behind the step that was sent on last.</summary>
    public bool HasDrawn { get; set; }

    /// <summary>Tokens drawn here.</summary>
    public uint SampledTokens { get; set; }

    /// <summary>When something last happened, as <see cref="TimeProvider.GetTimestamp"/>.</summary>
    public long LastActive { get; set; }

    /// <summary>Set when it has been closed; a batch under way then drops its result.</summary>
    public bool IsClosed { get; set; }

    /// <summary>Whether its request came after another's. Every shard of a chain answers alike, so no two sessions wait for each other.</summary>
    public bool IsYoungerThan(ShardSession other) =>
        (RequestedUnixMs, Id.Value).CompareTo((other.RequestedUnixMs, other.Id.Value)) > 0;
}
