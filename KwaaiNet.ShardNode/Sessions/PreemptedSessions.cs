using KwaaiNet.ShardNode.Frames;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>Sessions that were preempted lately: their frames are still under way, and the neighbour that sent them must not take this node for a faulty one.</summary>
internal sealed class PreemptedSessions
{
    private const int Most = 1024;

    private readonly Queue<SessionId> _order = new();
    private readonly HashSet<SessionId> _ids = [];

    /// <summary>Whether a session is one of them.</summary>
    public bool Contains(SessionId id) => _ids.Contains(id);

    /// <summary>Adds one, and forgets the first where they are many.</summary>
    public void Add(SessionId id)
    {
        if (!_ids.Add(id)) return;

        _order.Enqueue(id);
        if (_order.Count > Most) _ids.Remove(_order.Dequeue());
    }
}
