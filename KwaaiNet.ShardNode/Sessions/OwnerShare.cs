namespace KwaaiNet.ShardNode.Sessions;

/// <summary>What one node has here, over all its streams: its open sessions, and those of them with work in line. Belongs to the step loop.</summary>
/// <param name="nodeId">The node's did:key.</param>
internal sealed class OwnerShare(string nodeId)
{
    /// <summary>The node's did:key.</summary>
    public string NodeId { get; } = nodeId;

    /// <summary>Open sessions.</summary>
    public int Sessions { get; set; }

    /// <summary>Sessions whose next step is one row, first come first served.</summary>
    public Queue<ShardSession> Steps { get; } = new();

    /// <summary>Sessions with more rows than one, first come first served, without <see cref="Current"/>.</summary>
    public Queue<ShardSession> Prompts { get; } = new();

    /// <summary>The session whose prompt is being computed, which goes on before <see cref="Prompts"/> until it has had its turn; null: the next one's turn begins.</summary>
    public ShardSession? Current { get; set; }

    /// <summary>Whether <see cref="Current"/> is in line.</summary>
    public bool CurrentInLine { get; set; }

    /// <summary>Rows that <see cref="Current"/> has had in this turn of it.</summary>
    public int CurrentRows { get; set; }

    /// <summary>Sessions with a prompt in line.</summary>
    public int PromptsInLine => Prompts.Count + (CurrentInLine ? 1 : 0);

    /// <summary>Prompt rows run, on a clock that all owners share: who has the fewest is next. Set forward when one comes back, so that idling saves nothing up.</summary>
    public long RowsTaken { get; set; }

    /// <summary>Whether it stands in the line of owners with steps.</summary>
    public bool InStepLine { get; set; }

    /// <summary>Whether it stands among the owners with prompts.</summary>
    public bool InPromptLine { get; set; }

    /// <summary>Takes a session that is closed out of the line.</summary>
    public void Forget(ShardSession session)
    {
        if (Current == session) (Current, CurrentInLine) = (null, false);
        Remove(Steps, session);
        Remove(Prompts, session);
    }

    private static void Remove(Queue<ShardSession> line, ShardSession session)
    {
        for (int standing = line.Count; standing > 0; standing--)
        {
            ShardSession one = line.Dequeue();
            if (one != session) line.Enqueue(one);
        }
    }
}
