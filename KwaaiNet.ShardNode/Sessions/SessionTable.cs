using Google.Protobuf;
using KwaaiNet.CandelEngine.Compute;
using KwaaiNet.Protocol.Blocks;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;
using KwaaiNet.ShardNode.Forwarding;
using KwaaiNet.ShardNode.Frames;
using KwaaiNet.ShardNode.Kv;
using KwaaiNet.ShardNode.Loading;
using KwaaiNet.ShardNode.Prefixes;
using KwaaiNet.ShardNode.Telemetry;

namespace KwaaiNet.ShardNode.Sessions;

/// <summary>The sessions open on this shard. Belongs to the step loop alone, as the stack does whose caches it hands out.</summary>
internal sealed partial class SessionTable
{
    private readonly IBlockStack _stack;
    private readonly OpenedModel _model;
    private readonly BlockRange _held;
    private readonly SessionLimits _limits;
    private readonly IHopSource _hops;
    private readonly TimeProvider _time;
    private readonly ShardTelemetry _telemetry;
    private readonly ILogger _logger;
    private readonly PrefixStore _prefixes;
    private readonly Dictionary<SessionId, ShardSession> _sessions = [];
    private readonly Dictionary<string, OwnerShare> _shares = new(StringComparer.Ordinal);
    private readonly SessionLifetimes _lifetimes = new();
    private readonly KvAdmission _kv;
    private readonly PreemptedSessions _preempted = new();

    public SessionTable(
        IBlockStack stack,
        KvAdmission kv,
        PrefixStore prefixes,
        OpenedModel model,
        SessionLimits limits,
        IHopSource hops,
        TimeProvider time,
        ShardTelemetry telemetry,
        ILogger logger)
    {
        _stack = stack;
        _kv = kv;
        _prefixes = prefixes;
        _model = model;
        _held = new BlockRange(stack.Options.FirstBlock, stack.Options.EndBlock);
        _limits = limits;
        _hops = hops;
        _time = time;
        _telemetry = telemetry;
        _logger = logger;
    }

    /// <summary>Open sessions.</summary>
    public int Count => _sessions.Count;

    /// <summary>The open sessions themselves.</summary>
    public Dictionary<SessionId, ShardSession>.ValueCollection All => _sessions.Values;

    /// <summary>Bytes of KV that open sessions are expected to take yet.</summary>
    public long ExpectedKvBytes
    {
        get
        {
            long expected = 0;
            foreach (ShardSession session in _sessions.Values) expected += _kv.ExpectedBytes(session.Need, session.Cache);
            return expected;
        }
    }

    /// <summary>Steps of all sessions that wait.</summary>
    public int WaitingSteps { get; set; }

    /// <summary>Whether no new session is taken.</summary>
    public bool IsDraining { get; set; }

    /// <summary>The session a frame names, or null.</summary>
    public ShardSession? Find(ByteString id) =>
        SessionId.TryRead(id, out SessionId key) && _sessions.TryGetValue(key, out ShardSession? session) ? session : null;

    /// <summary>Opens a session, or says why not; the answer goes to <paramref name="owner"/>.</summary>
    public void Open(OpenSession open, SessionOwner owner)
    {
        // The stream broke while the request stood in line: nobody would ever close the session.
        if (owner.IsGone) return;

        if ((CheckRoom(open, owner) ?? SessionRules.Check(open, _model, _held, _limits.OwnNodeId)) is { } refusal)
        {
            Refuse(open.SessionId, owner, refusal);
            return;
        }

        SessionPages pages = _prefixes.Begin(Origin(open, owner), open.PrefixHashes);
        KvCache cache = _stack.CreateCache((int)open.FirstBlock, (int)open.EndBlock, pages.Beginning());
        KvNeed need = SessionRules.NeedOf(open);
        long expected = ExpectedKvBytes;
        if (!_kv.Admits(need, cache, expected))
        {
            long wanted = _kv.ExpectedBytes(need, cache);
            cache.Dispose();
            _prefixes.End(pages, null, ByteString.Empty);
            long free = _kv.FreeBytes(expected);
            Refuse(open.SessionId, owner, new Refusal(
                FailureCode.KvExhausted,
                $"The KV cache has room for {free:N0} bytes more, too few for {need.Expected(0)} of {need.Most} positions.",
                free,
                RetryAfter(sessions: 1, wanted - free)));
            return;
        }

        ShardSession session = Create(open, owner, cache, pages, need);
        _sessions.Add(session.Id, session);
        session.Share.Sessions++;
        LogOpened(session.Id, session.Range, owner.NodeId, cache.Bytes);
        owner.Post(new ControlEvent
        {
            Opened = new SessionOpened { SessionId = session.WireId, KvBytes = cache.Bytes, CachedPositions = (uint)pages.CachedPositions },
        });
    }

    /// <summary>The first step of a session begins where the shard of its chain that holds least does.</summary>
    public void BeginAt(ShardSession session, int positions)
    {
        session.Cache.Truncate(positions);
        _prefixes.BeginAt(session.Pages, positions / PageHash.Positions);
        session.TakenPositions = (uint)positions;
    }

    /// <summary>Makes findable what a session has filled.</summary>
    public void KeepPages(ShardSession session)
    {
        if (!session.IsClosed && session.Pages.HasNew(session.Cache.Length)) _prefixes.Keep(session.Pages, session.Cache);
    }

    /// <summary>Closes a session for its owner. Closing what is not there is answered as well: the wish is fulfilled.</summary>
    public void Close(CloseSession close, SessionOwner owner)
    {
        ByteString id = close.SessionId;
        if (Find(id) is { } session)
        {
            if (session.Owner.NodeId != owner.NodeId)
            {
                Refuse(id, owner, new Refusal(FailureCode.NotAllowed, "The session belongs to another node."));
                return;
            }

            // Hashes that are none name nothing; the session is closed all the same.
            Remove(session, null, SessionRules.AreHashes(close.PageHashes) ? close.PageHashes : ByteString.Empty);
        }

        owner.Post(new ControlEvent { Closed = new SessionClosed { SessionId = Echo(id) } });
    }

    /// <summary>Closes the sessions that were opened on a stream which has ended.</summary>
    public void CloseAllOf(SessionOwner owner) => RemoveWhere(session => session.Owner == owner, null);

    /// <summary>Ends a session and tells its owner why.</summary>
    /// <param name="session">The session.</param>
    /// <param name="refusal">Why.</param>
    /// <param name="nodeAtFault">The node at fault; null: this one.</param>
    public void Fail(ShardSession session, Refusal refusal, string? nodeAtFault = null)
    {
        if (session.IsClosed) return;

        LogFailed(session.Id, refusal.Code, refusal.Message);
        _telemetry.FailedSessions.Add(1, new KeyValuePair<string, object?>(ShardTelemetry.Attributes.Failure, refusal.Code.ToString()));
        Remove(session, refusal.Code);
        session.Owner.Post(Failed(session.WireId, refusal, nodeAtFault ?? _limits.OwnNodeId));
    }

    /// <summary>Whether a session of this id was preempted lately.</summary>
    public bool WasPreempted(ByteString id) => SessionId.TryRead(id, out SessionId key) && _preempted.Contains(key);

    /// <summary>Ends the session whose request came last, of those that hold KV: one session wants more, and nothing is free. It may be the one itself.</summary>
    public void PreemptFor(ShardSession wanting)
    {
        ShardSession last = wanting;
        bool others = false;
        foreach (ShardSession session in _sessions.Values)
        {
            if (session == wanting || session.Cache.Bytes == 0) continue;

            others = true;
            if (session.IsYoungerThan(last)) last = session;
        }

        // Alone it could not go on either; it would be replayed for ever.
        if (!others)
        {
            Fail(wanting, new Refusal(FailureCode.KvExhausted, $"There is not enough KV cache for position {wanting.Cache.Length} of {wanting.Need.Most}.", 0));
            return;
        }

        _preempted.Add(last.Id);
        Fail(last, new Refusal(FailureCode.Preempted, $"Older sessions need the KV cache of its {last.Cache.Length} positions."));
    }

    /// <summary>Ends every session, for instance because the node stops.</summary>
    public void FailAll(Refusal refusal) => FailWhere(_ => true, refusal, null);

    /// <summary>Ends the sessions whose results went to a node that is lost.</summary>
    public void FailAllVia(IHop hop, string reason) => FailWhere(
        session => session.Next == hop || session.Ring == hop,
        new Refusal(FailureCode.NextHopLost, $"The connection to {hop.NodeId} was lost: {reason}"),
        hop.NodeId);

    /// <summary>Ends the session whose frame the next node refused.</summary>
    public void FailRefused(IHop hop, StepRefused refused)
    {
        if (Find(refused.SessionId) is { } session && (session.Next == hop || session.Ring == hop))
        {
            Fail(session, new Refusal(refused.Code, $"Step {refused.Step} was refused: {refused.Message}"), hop.NodeId);
        }
    }

    /// <summary>A step of a prompt has left the next shard's line.</summary>
    public void OnLeft(IHop hop, StepRefused answer)
    {
        if (Find(answer.SessionId) is { PromptsAhead: > 0 } session && session.Next == hop) session.PromptsAhead--;
    }

    /// <summary>Ends the sessions that have been idle for longer than their time to live, and forgets pages that nobody used for as long.</summary>
    public void FailIdle()
    {
        FailWhere(
            session => _time.GetElapsedTime(session.LastActive) >= _limits.TimeToLive,
            new Refusal(FailureCode.SessionExpired, $"Nothing came for {_limits.TimeToLive.TotalSeconds:0} s."),
            null);
        _prefixes.Expire();
    }

    private static ControlEvent Failed(ByteString id, Refusal refusal, string nodeId)
    {
        SessionFailed failed = new() { SessionId = Echo(id), Code = refusal.Code, Message = refusal.Message, NodeId = nodeId };
        if (refusal.KvFreeBytes is { } free) failed.KvFreeBytes = free;
        if (refusal.RetryAfter is { } wait) failed.RetryAfterMs = (uint)Math.Ceiling(wait.TotalMilliseconds);
        return new ControlEvent { Failed = failed };
    }

    // Whatever length a malformed id has, no more of it than an id's length is kept or sent back.
    private static ByteString Echo(ByteString id) => id.Length <= SessionId.Length ? id : ByteString.Empty;

    private Refusal? CheckRoom(OpenSession open, SessionOwner owner)
    {
        if (IsDraining) return new(FailureCode.Draining, "The node is leaving; it takes no new sessions.");
        if (Find(open.SessionId) is not null) return new(FailureCode.NotAllowed, "A session of this id is open.");
        if (_sessions.Count >= _limits.MaxSessions)
        {
            return new(FailureCode.KvExhausted, $"{_limits.MaxSessions} sessions are open; no more are taken.", 0, RetryAfter(sessions: 1));
        }

        int most = _limits.OwnerSessions(_sessions.Count);
        return _shares.TryGetValue(owner.NodeId, out OwnerShare? share) && share.Sessions >= most
            ? new(FailureCode.KvExhausted, $"{share.Sessions} sessions of this node are open; what is free is kept for others.", 0, RetryAfter(share.Sessions + 1 - most, 0, share))
            : null;
    }

    private TimeSpan? RetryAfter(int sessions, long bytes = 0, OwnerShare? of = null) => _lifetimes.Until(
        _sessions.Values.Where(session => of is null || session.Share == of).Select(session => (_time.GetElapsedTime(session.OpenedAt), session.Cache.Bytes + _kv.ExpectedBytes(session.Need, session.Cache))),
        sessions,
        bytes);

    private OwnerShare ShareOf(SessionOwner owner)
    {
        if (!_shares.TryGetValue(owner.NodeId, out OwnerShare? share)) _shares[owner.NodeId] = share = new OwnerShare(owner.NodeId);
        return share;
    }

    private static PageOrigin Origin(OpenSession open, SessionOwner owner) => new(
        owner.NodeId,
        new BlockRange((int)open.FirstBlock, (int)open.EndBlock),
        FormatOf(open),
        open.PrefixLineage.IsEmpty ? 0 : PageHash.Read(open.PrefixLineage.Span, 0).Value);

    private static HiddenFormat FormatOf(OpenSession open) => open.HiddenFormat == HiddenEncoding.F16 ? HiddenFormat.F16 : HiddenFormat.F32;

    private ShardSession Create(OpenSession open, SessionOwner owner, KvCache cache, SessionPages pages, KvNeed need)
    {
        _ = SessionId.TryRead(open.SessionId, out SessionId id);
        HiddenFormat format = FormatOf(open);
        return new ShardSession
        {
            Id = id,
            WireId = open.SessionId,
            Owner = owner,
            Share = ShareOf(owner),
            OpenedAt = _time.GetTimestamp(),
            Range = new BlockRange((int)open.FirstBlock, (int)open.EndBlock),
            Format = format,
            Cache = cache,
            Pages = pages,
            TakenPositions = (uint)pages.CachedPositions,
            Need = need,
            RequestedUnixMs = SessionRules.RequestedUnixMs(open, _time),
            StepSources = [.. open.StepSources],
            Next = open.Next is null ? null : _hops.Acquire(open.Next),
            Ring = open.Ring is null || open.Ring.NodeId == _limits.OwnNodeId ? null : _hops.Acquire(open.Ring),
            Sampling = SamplingReader.Read(open.Sampling),
            History = SamplingReader.ReadHistory(open.Sampling),
            MaxNewTokens = open.MaxNewTokens,
            EndTokens = [.. open.EndTokens.Select(token => (int)Math.Min(token, int.MaxValue))],
            Step = new BlockStep { Cache = cache, Rows = 0, Boundary = format },
            Spans = new HopSpans(_telemetry, open, id.ToString()),
            LastActive = _time.GetTimestamp(),
        };
    }

    private void Refuse(ByteString id, SessionOwner owner, Refusal refusal)
    {
        LogRefused(owner.NodeId, refusal.Code, refusal.Message);
        owner.Post(Failed(id, refusal, _limits.OwnNodeId));
    }

    private void FailWhere(Func<ShardSession, bool> predicate, Refusal refusal, string? nodeAtFault)
    {
        foreach (ShardSession session in _sessions.Values.Where(predicate).ToArray()) Fail(session, refusal, nodeAtFault);
    }

    private void RemoveWhere(Func<ShardSession, bool> predicate, FailureCode? failure)
    {
        foreach (ShardSession session in _sessions.Values.Where(predicate).ToArray()) Remove(session, failure);
    }

    private void Remove(ShardSession session, FailureCode? failure, ByteString? pageHashes = null)
    {
        session.IsClosed = true;
        _sessions.Remove(session.Id);
        _lifetimes.Add(_time.GetElapsedTime(session.OpenedAt));
        session.Share.Forget(session);
        if (--session.Share.Sessions == 0) _shares.Remove(session.Share.NodeId);
        _prefixes.End(session.Pages, pageHashes is null ? null : session.Cache, pageHashes ?? ByteString.Empty);
        Free(session);
        WaitingSteps -= session.Waiting.Count;
        foreach (IncomingStep step in session.Waiting) step.Stream?.FreeSlots(step.Frame);
        session.Waiting.Clear();
        session.Filling?.Release();
        session.Filling = null;
        session.Kept?.Release();
        session.Kept = null;
        session.Spans.Close(failure);
        if (session.Next is not null) _hops.Release(session.Next);
        if (session.Ring is not null) _hops.Release(session.Ring);
        LogClosed(session.Id);
    }

    // Every session must hear of a device's failure, whatever the device says when one of them gives its memory back.
    private void Free(ShardSession session)
    {
        try
        {
            session.Cache.Dispose();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            LogNotFreed(failure, session.Id);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The KV cache of session {Session} could not be freed.")]
    private partial void LogNotFreed(Exception failure, SessionId session);

    [LoggerMessage(LogLevel.Debug, "Session {Session} runs blocks {Blocks} for {Owner}; it begins with {KvBytes} bytes of KV cache.")]
    private partial void LogOpened(SessionId session, BlockRange blocks, string owner, long kvBytes);

    [LoggerMessage(LogLevel.Debug, "Session {Session} is closed; its KV cache is released.")]
    private partial void LogClosed(SessionId session);

    [LoggerMessage(LogLevel.Information, "A session for {Owner} was not opened: {Code}, {Reason}")]
    private partial void LogRefused(string owner, FailureCode code, string reason);

    [LoggerMessage(LogLevel.Information, "Session {Session} failed: {Code}, {Reason}")]
    private partial void LogFailed(SessionId session, FailureCode code, string reason);
}
