using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Security.Cryptography;
using Google.Protobuf;
using KwaaiNet.ApiNode.Planning;
using KwaaiNet.Protocol.Sessions;
using KwaaiNet.Protocol.Wire;

namespace KwaaiNet.ApiNode.Generation;

/// <summary>One session on one chain: opened on all its shards at once, fed the prompt, read token by token, closed everywhere.</summary>
internal sealed class ChainSession : IDisposable
{
    // Tokens a chain may be ahead of the reader beyond those asked for: none in truth; a shard that floods is cut off here.
    private const int EventSlack = 16;

    // A step that is sent again repeats a token, which is rare; a shard that does nothing else would keep the reader waiting for ever.
    private const int MaxRepeatedTokens = 16;

    // A shard opens a session between two turns, and a turn of a slow device takes its time. One that is heard meanwhile is busy and not lost.
    private const int OpenTimeoutsOfBusyShards = 3;

    private readonly SessionSettings _settings;
    private readonly ShardChain _chain;
    private readonly ByteString _id = ByteString.CopyFrom(RandomNumberGenerator.GetBytes(SessionBounds.SessionIdBytes));
    private readonly TaskCompletionSource _opened = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TokenQueue _tokens;
    private readonly HopEar[] _ears;
    private readonly int _start;
    private PromptFeed? _prompt;
    private ShardFailureException? _failure;
    private ByteString _pageHashes = ByteString.Empty;
    private int _unopened;
    private int _cached = int.MaxValue;
    private int _position;
    private int _repeated;
    private TimeSpan _patience;

    private ChainSession(SessionSettings settings, ShardChain chain, ShardLinks links, TimeProvider time, CancellationToken cancellationToken)
    {
        _settings = settings;
        _chain = chain;
        _tokens = new TokenQueue(settings.MaxNewTokens + EventSlack, time, cancellationToken);
        _ears = [.. chain.Hops.Select((hop, i) => new HopEar(this, links.Get(hop.NodeId, hop.Endpoint), i))];
        _unopened = _ears.Length;
        _start = settings.Tokens.Count;
        _position = _start;
    }

    /// <summary>The session's id, hex.</summary>
    public string Id => Convert.ToHexStringLower(_id.Span);

    /// <summary>The chain it runs on.</summary>
    public ShardChain Chain => _chain;

    /// <summary>Positions that every shard of the chain holds already: the prompt is computed from there on.</summary>
    public int CachedPositions => _cached;

    /// <summary>Opens the session on every shard of the chain at once.</summary>
    /// <param name="settings">What to open.</param>
    /// <param name="chain">Where.</param>
    /// <param name="links">The links to the shards.</param>
    /// <param name="time">For the time limits.</param>
    /// <param name="cancellationToken">The request's: it ends every wait of this session.</param>
    /// <exception cref="ShardFailureException">A shard refused, vanished or did not answer in time; nothing stays open.</exception>
    public static async Task<ChainSession> OpenAsync(
        SessionSettings settings, ShardChain chain, ShardLinks links, TimeProvider time, CancellationToken cancellationToken)
    {
        ChainSession session = new(settings, chain, links, time, cancellationToken);
        try
        {
            foreach (HopEar ear in session._ears)
            {
                ear.Link.Open(SessionMessages.Open(session._id, settings, chain, ear.Hop), ear);
            }

            await session.WaitUntilOpenedAsync(time, cancellationToken).ConfigureAwait(false);
            return session;
        }
        catch (Exception exception) when (exception is ShardFailureException or OperationCanceledException)
        {
            session.Dispose();
            throw;
        }
    }

    /// <summary>Sends what is not cached of the prompt to the first shard, in frames of at most <see cref="SessionSettings.PrefillChunk"/> rows.</summary>
    public void SendPrompt()
    {
        PromptFeed prompt = new(_ears[0].Link, SessionMessages.Prefill(_id, _settings.Tokens, _cached, _settings.PrefillChunk));
        // Every frame is a step that may take its time; one token comes behind all of them.
        _patience = _settings.StepTimeout * Math.Max(1, prompt.Count);
        Volatile.Write(ref _prompt, prompt);
        prompt.Start();
    }

    /// <summary>The next token, in order; one that was reported twice is given once.</summary>
    /// <exception cref="ShardFailureException">The chain failed. Tokens that had arrived before were given first.</exception>
    /// <exception cref="OperationCanceledException">The request was cancelled.</exception>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<SampledToken> NextAsync()
    {
        while (true)
        {
            while (_tokens.TryTake(out ArrivedToken token))
            {
                if (token.Position < _position)
                {
                    if (++_repeated > MaxRepeatedTokens)
                    {
                        throw Misbehaved("repeats tokens instead of going on");
                    }

                    continue;
                }

                if (token.Position > _position || token.Token >= (uint)_settings.Model.Tokenizer.VocabularySize)
                {
                    throw Misbehaved($"sent token {token.Token} for position {token.Position} where position {_position} was due");
                }

                if (token.Last && !IsEnd(token))
                {
                    throw Misbehaved($"stopped at position {token.Position} for no reason");
                }

                DrawnLogprobs? logprobs = null;
                if (_settings.Sampling.TopLogprobs is int asked)
                {
                    logprobs = token.Logprobs is null ? null : DrawnLogprobs.Read(token.Logprobs, asked, _settings.Model.Tokenizer.VocabularySize);
                    if (logprobs is null)
                    {
                        throw Misbehaved($"sent a token for position {token.Position} without the log probabilities that were asked for");
                    }
                }

                _position++;
                _repeated = 0;
                _patience = _settings.StepTimeout;
                return new SampledToken((int)token.Token, token.Last, logprobs);
            }

            try
            {
                if (!await _tokens.WaitAsync(_patience).ConfigureAwait(false))
                {
                    throw _failure ?? Misbehaved("sent more tokens than were asked for");
                }
            }
            catch (TimeoutException exception)
            {
                throw new ShardFailureException(
                    ShardFailureKind.Stalled, [.. _chain.Hops.Select(hop => hop.NodeId)],
                    $"The chain gave no token for {_patience.TotalSeconds:0.#} s although all its shards answer.",
                    $"gave no token for {_patience.TotalSeconds:0.#} s", exception);
            }
        }
    }

    /// <summary>Says under which names the pages of the whole conversation may be found again, once it is closed.</summary>
    public void Name(ByteString pageHashes) => _pageHashes = pageHashes;

    /// <summary>Closes the session on every shard at once. What the ring has run ahead is dropped.</summary>
    public void Dispose()
    {
        _prompt?.Stop();
        foreach (HopEar ear in _ears)
        {
            ear.Link.Close(_id, _pageHashes);
        }

        _tokens.Dispose();
    }

    private async Task WaitUntilOpenedAsync(TimeProvider time, CancellationToken cancellationToken)
    {
        for (int waits = 1; ; waits++)
        {
            foreach (HopEar ear in _ears) ear.HeardBefore = ear.Link.Heard;
            try
            {
                await _opened.Task.WaitAsync(_settings.OpenTimeout, time, cancellationToken).ConfigureAwait(false);
                return;
            }
            catch (TimeoutException exception)
            {
                HopEar[] waited = [.. _ears.Where(ear => !ear.Opened)];
                HopEar[] silent = [.. waited.Where(ear => ear.Link.Heard == ear.HeardBefore)];
                if (silent.Length == 0 && waits < OpenTimeoutsOfBusyShards)
                {
                    continue;
                }

                ImmutableArray<string> blamed = [.. (silent.Length > 0 ? silent : waited).Select(ear => ear.Link.NodeId)];
                string how = $"did not open the session within {(waits * _settings.OpenTimeout).TotalSeconds:0.#} s";
                throw new ShardFailureException(
                    silent.Length > 0 ? ShardFailureKind.Lost : ShardFailureKind.Stalled, blamed, $"Shard {string.Join(", ", blamed)} {how}.", how, exception);
            }
        }
    }

    // What a ring may stop at: an end token, or as many tokens as were asked for. A finish reason made of anything else would be untrue.
    private bool IsEnd(in ArrivedToken token) =>
        _settings.Model.Tokenizer.EndOfGenerationIds.Contains((int)token.Token) || token.Position + 1 - _start >= _settings.MaxNewTokens;

    private ShardFailureException Misbehaved(string how) =>
        new(ShardFailureKind.Refused, [_chain.Hops[^1].NodeId], $"Shard {_chain.Hops[^1].NodeId} {how}.", how);

    private void OnOpened(HopEar ear, uint cachedPositions)
    {
        if (cachedPositions % PageHash.Positions != 0 || cachedPositions > _settings.PrefixHashes.Length / PageHash.Length * PageHash.Positions)
        {
            string how = $"says that it holds {cachedPositions} positions of a prompt of {_start}";
            OnFailed(ear, new ShardFailureException(ShardFailureKind.Refused, [ear.Link.NodeId], $"Shard {ear.Link.NodeId} {how}.", how));
            return;
        }

        // Links read on threads of their own.
        int least = Volatile.Read(ref _cached);
        while (cachedPositions < least && Interlocked.CompareExchange(ref _cached, (int)cachedPositions, least) is int seen && seen != least)
        {
            least = seen;
        }

        if (Interlocked.Decrement(ref _unopened) == 0)
        {
            _opened.TrySetResult();
        }
    }

    private void OnFailed(HopEar ear, ShardFailureException failure)
    {
        // A shard may blame its neighbours, nobody else.
        bool ofThisChain = failure.Nodes.All(node => _chain.Hops.Any(hop => hop.NodeId == node));
        ShardFailureException fair = ofThisChain ? failure : new ShardFailureException(failure.Kind, [ear.Link.NodeId], failure.Message, failure.What, failure) { RetryAfter = failure.RetryAfter };
        if (Interlocked.CompareExchange(ref _failure, fair, null) is null)
        {
            _opened.TrySetException(fair);
            // Nobody may be waiting for the opening any more; its failure has been told all the same.
            _ = _opened.Task.Exception;
            _tokens.Complete();
        }
    }

    private sealed class HopEar(ChainSession session, ShardLink link, int hop) : ILinkSession
    {
        private int _opened;

        public ShardLink Link { get; } = link;

        public int Hop { get; } = hop;

        public bool Opened => Volatile.Read(ref _opened) != 0;

        /// <summary>What the link had heard when the wait for the opening began.</summary>
        public long HeardBefore { get; set; }

        public void OnOpened(uint cachedPositions)
        {
            if (Interlocked.Exchange(ref _opened, 1) == 0)
            {
                session.OnOpened(this, cachedPositions);
            }
        }

        public void OnToken(TokenSampled token)
        {
            // Only the last shard samples.
            if (Hop == session._ears.Length - 1 && !session._tokens.TryAdd(ArrivedToken.From(token)))
            {
                session._tokens.Complete();
            }
        }

        public void OnStepLeft()
        {
            // Only the first shard is sent steps from here.
            if (Hop == 0) Volatile.Read(ref session._prompt)?.OnLeft();
        }

        public void OnFailed(ShardFailureException failure) => session.OnFailed(this, failure);
    }
}
