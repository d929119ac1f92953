using KwaaiNet.ApiNode.Configuration;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.Protocol.Trust;
using KwaaiNet.Protocol.Wire;
using Microsoft.Extensions.Options;

namespace KwaaiNet.ApiNode.Waiting;

/// <summary>Requests that found every chain full, in the order they came: the first of them tries again when room may have become free. Safe for concurrent use.</summary>
/// <remarks>
/// Nobody overtakes: whoever comes while others wait for the same stands behind them. Room is taken to be free when a session of this API node
/// has ended, and when a record shows a node that is new, has started again or has more free than before. What neither tells (two requests
/// that took half a chain from each other, another API node's sessions between two records) is found by a try every <see cref="SlowLook"/>.
/// </remarks>
internal sealed class RoomLine : IDisposable
{
    /// <summary>How often the first in line tries although nothing has been heard.</summary>
    public static readonly TimeSpan SlowLook = TimeSpan.FromSeconds(2);

    private readonly TimeProvider _time;
    private readonly ITimer _slowLook;
    private readonly ApiOptions _options;
    private readonly OwnSessions _sessions;
    private readonly INodeSnapshot _nodes;
    private readonly Lock _lock = new();
    private readonly Dictionary<RoomLineKey, SortedSet<RoomPlace>> _lines = [];
    private Dictionary<string, (long Started, long Free)> _room = [];
    private long _freed;
    private int _waiting;
    private long _tickets;
    private long _lastLeft;
    private TimeSpan _interval;

    /// <summary>Begins to listen.</summary>
    public RoomLine(OwnSessions sessions, INodeSnapshot nodes, TimeProvider time, IOptions<ApiOptions> options)
    {
        _sessions = sessions;
        _nodes = nodes;
        _time = time;
        _options = options.Value;
        _slowLook = time.CreateTimer(_ => CallAll(), null, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
        sessions.Ended += CallAll;
        nodes.Changed += Look;
    }

    /// <summary>Requests that wait.</summary>
    public int Count
    {
        get
        {
            lock (_lock)
            {
                return _waiting;
            }
        }
    }

    /// <summary>How often room may have become free: what a request reads before it tries, and says when it joins.</summary>
    public long Freed => Interlocked.Read(ref _freed);

    /// <summary>A request's place among all requests, by when it came.</summary>
    public long Ticket() => Interlocked.Increment(ref _tickets);

    /// <summary>Whether requests stand before this one: it must stand behind them.</summary>
    public bool IsBehind(string model, TrustTier minimumTier, long ticket)
    {
        lock (_lock)
        {
            return _lines.TryGetValue(new(model, minimumTier), out SortedSet<RoomPlace>? line) && line.Min!.Ticket < ticket;
        }
    }

    /// <summary>Stands in line; null when too many do, or when nobody may wait.</summary>
    /// <param name="model">The model's id.</param>
    /// <param name="minimumTier">The least tier: requests that may use other nodes do not wait for one another.</param>
    /// <param name="ticket">The request's <see cref="Ticket"/>.</param>
    /// <param name="freed"><see cref="Freed"/> before the request last tried; null: it has not tried yet.</param>
    /// <param name="isBegun">Whether the request has begun to be answered: it is let in whatever the length of the line.</param>
    public RoomPlace? Join(string model, TrustTier minimumTier, long ticket, long? freed, bool isBegun)
    {
        lock (_lock)
        {
            if (_options.MaxWaitSeconds == 0 || (_waiting >= _options.MaxWaiting && !isBegun))
            {
                return null;
            }

            if (_waiting++ == 0)
            {
                _room = Read();
                _lastLeft = _time.GetTimestamp();
                _slowLook.Change(SlowLook, SlowLook);
            }

            RoomPlace place = new(this, new(model, minimumTier), ticket);
            if (!_lines.TryGetValue(place.Key, out SortedSet<RoomPlace>? line))
            {
                line = _lines[place.Key] = new SortedSet<RoomPlace>(Comparer<RoomPlace>.Create((a, b) => a.Ticket.CompareTo(b.Ticket)));
            }

            line.Add(place);
            // What became free between its try and now has called others, or nobody.
            if (freed != _freed && line.Min == place)
            {
                place.Call();
            }

            return place;
        }
    }

    /// <summary>How long it takes until some of those that wait have found room, as far as the last that did show: at least a second.</summary>
    /// <param name="requests">How many.</param>
    public TimeSpan Estimate(int requests)
    {
        lock (_lock)
        {
            // Nobody has left for longer than usual: that is the best that is known.
            TimeSpan since = _waiting > 0 ? _time.GetElapsedTime(_lastLeft) : TimeSpan.Zero;
            TimeSpan each = since > _interval ? since : _interval;
            return TimeSpan.FromSeconds(Math.Clamp(each.TotalSeconds * requests, 1, 3_600));
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _sessions.Ended -= CallAll;
        _nodes.Changed -= Look;
        _slowLook.Dispose();
    }

    internal void Leave(RoomPlace place, bool isServed)
    {
        RoomPlace? next = null;
        lock (_lock)
        {
            if (!_lines.TryGetValue(place.Key, out SortedSet<RoomPlace>? line) || !line.Remove(place))
            {
                return;
            }

            if (--_waiting == 0)
            {
                _slowLook.Change(Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
            }

            if (isServed)
            {
                // Half of the old and half of the new: what is said follows the last few.
                TimeSpan now = _time.GetElapsedTime(_lastLeft);
                _interval = _interval == TimeSpan.Zero ? now : (_interval + now) / 2;
                _lastLeft = _time.GetTimestamp();
            }

            if (line.Count == 0)
            {
                _lines.Remove(place.Key);
            }
            else
            {
                next = line.Min;
            }
        }

        // Where there was room for one there may be for another, and the next one has not tried.
        next?.Call();
    }

    private void CallAll()
    {
        RoomPlace[] first;
        lock (_lock)
        {
            _freed++;
            first = [.. _lines.Values.Select(line => line.Min!)];
        }

        foreach (RoomPlace place in first)
        {
            place.Call();
        }
    }

    private void Look()
    {
        lock (_lock)
        {
            if (_waiting == 0)
            {
                return;
            }

            Dictionary<string, (long Started, long Free)> room = Read();
            bool isMore = room.Any(node => !_room.TryGetValue(node.Key, out (long Started, long Free) before)
                || node.Value.Started != before.Started || node.Value.Free > before.Free);
            _room = room;
            if (!isMore)
            {
                return;
            }
        }

        CallAll();
    }

    private Dictionary<string, (long Started, long Free)> Read()
    {
        Dictionary<string, (long Started, long Free)> room = new(StringComparer.Ordinal);
        foreach (NodeRecord record in _nodes.Records)
        {
            // Blocks that are still being loaded have no room; that they are ready shows as more.
            room[record.NodeId] = (record.StartedUnixMs, record.Serving.Where(served => served.State == ServingState.Ready).Sum(served => Math.Max(1, served.KvFreeBytes)));
        }

        return room;
    }
}
