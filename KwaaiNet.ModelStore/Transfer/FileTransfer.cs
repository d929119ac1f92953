using System.Buffers;
using KwaaiNet.ModelStore.Progress;
using Polly;
using Polly.Retry;

namespace KwaaiNet.ModelStore.Transfer;

/// <summary>Brings a stretch of a remote file to a target, over as many connections as it takes.</summary>
/// <remarks>
/// A connection that is cut after it brought something new is simply opened again where it ended. Tries that bring nothing are counted, and
/// pauses between them grow; a server that says when to come back is obeyed, up to the longest pause.
/// </remarks>
internal sealed class FileTransfer
{
    private const int BufferBytes = 1 << 18;

    // Less than this is no progress: a server that gives a few bytes a connection would keep us for ever.
    private const int ProgressBytes = 1 << 16;

    private readonly RemoteReader _reader;
    private readonly ModelStoreOptions _options;
    private readonly TimeProvider _time;
    private readonly IProgress<PullEvent> _progress;
    private readonly ResiliencePipeline _retries;

    public FileTransfer(RemoteReader reader, ModelStoreOptions options, TimeProvider time, IProgress<PullEvent> progress)
    {
        _reader = reader;
        _options = options;
        _time = time;
        _progress = progress;
        ResiliencePipelineBuilder builder = new() { TimeProvider = time };
        if (options.Retries > 0) builder.AddRetry(RetryRules());
        _retries = builder.Build();
    }

    /// <summary>Receives bytes from <see cref="TransferState.Position"/> on.</summary>
    /// <param name="file">The file.</param>
    /// <param name="end">One past the last byte; null: the file's end.</param>
    /// <param name="state">Where we are; moved on.</param>
    /// <param name="target">Where the bytes go.</param>
    /// <param name="cancellationToken">Stops; what was received stays.</param>
    /// <exception cref="ModelStoreException">It cannot be had.</exception>
    /// <exception cref="RangesRefusedException">The server sends whole files only, and the target wants a part.</exception>
    public async Task ReceiveAsync(RemoteFile file, long? end, TransferState state, ITransferTarget target, CancellationToken cancellationToken)
    {
        long best = state.Position;
        bool complete = false;
        try
        {
            while (!complete)
            {
                await _retries.ExecuteAsync(
                    async token =>
                    {
                        try
                        {
                            await ReceiveOnceAsync(file, end, state, target, token).ConfigureAwait(false);
                            complete = true;
                        }
                        catch (TransferCutException cut) when (cut.RetryAfter is null && state.Position >= best + ProgressBytes)
                        {
                            best = state.Position;
                            Note($"{file.Name}: the connection was cut after {ByteCount.Of(state.Position)}; going on from there.");
                        }
                    },
                    cancellationToken).ConfigureAwait(false);
            }
        }
        catch (TransferCutException cut)
        {
            throw new ModelStoreException($"{file.Name}: {cut.Message}; given up after {_options.Retries + 1} tries.", "check the connection and pull again: it goes on where it stopped.", cut);
        }
    }

    /// <summary>Receives a small text.</summary>
    /// <exception cref="ModelStoreException">It cannot be had, or is longer than <paramref name="most"/> bytes.</exception>
    public async Task<byte[]> ReadAllAsync(RemoteFile file, int most, CancellationToken cancellationToken)
    {
        MemoryTarget target = new(file.Name, most);
        await ReceiveAsync(file, null, new TransferState { Size = file.Size }, target, cancellationToken).ConfigureAwait(false);
        return target.ToArray();
    }

    private async Task ReceiveOnceAsync(RemoteFile file, long? end, TransferState state, ITransferTarget target, CancellationToken cancellationToken)
    {
        using CancellationTokenSource patience = new(Timeout.InfiniteTimeSpan, _time);
        using CancellationTokenSource both = CancellationTokenSource.CreateLinkedTokenSource(patience.Token, cancellationToken);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
        try
        {
            TimeSpan stall = TimeSpan.FromSeconds(_options.StallSeconds);
            patience.CancelAfter(stall);
            using RemoteAnswer answer = await _reader.OpenAsync(file, state.Position, end, state.ETag, both.Token).ConfigureAwait(false);
            Accept(file, end, answer, state, target);
            Stream body = await answer.ReadAsync(both.Token).ConfigureAwait(false);
            await using (body.ConfigureAwait(false))
            {
                // Asked beyond the file's end, a server sends what there is.
                long? stop = end is { } wanted && state.Size is { } size ? Math.Min(wanted, size) : end ?? state.Size;
                while (stop is null || state.Position < stop)
                {
                    patience.CancelAfter(stall);
                    int count = await ReadAsync(file, body, buffer, both.Token).ConfigureAwait(false);
                    if (count == 0 && stop is null) break;
                    if (count == 0) throw new TransferCutException($"the connection was cut after {ByteCount.Of(state.Position)}");
                    int used = (int)Math.Min(count, (stop ?? long.MaxValue) - state.Position);
                    state.Received += count;
                    await target.AppendAsync(buffer.AsMemory(0, used), cancellationToken).ConfigureAwait(false);
                    state.Position += used;
                }
            }
        }
        catch (OperationCanceledException) when (patience.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new TransferCutException($"nothing came for {_options.StallSeconds} s");
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    /// <summary>Checks an answer's headers against what was asked for; moves the position back where the server starts afresh.</summary>
    private static void Accept(RemoteFile file, long? end, RemoteAnswer answer, TransferState state, ITransferTarget target)
    {
        if (answer.IsWebPage)
        {
            throw new ModelStoreException(
                $"{file.Address.Authority} sent a web page in place of {file.Name}.",
                "open the address in a browser: a proxy, a login or an error page stands before the file.");
        }

        if (answer.Size is { } size && state.Size is { } expected && size != expected)
        {
            throw new ModelStoreException(
                $"{file.Name}: {expected} bytes are expected and {file.Address.Authority} has {size}.",
                "the publisher's list and the file do not agree: try again later, or ask another registry, with --registry.");
        }

        bool isOther = state.ETag is not null && answer.ETag is not null && answer.ETag != state.ETag;
        if (answer.IsPart && (answer.From != state.Position || isOther))
            throw new ModelStoreException($"{file.Name}: {file.Address.Authority} sent other bytes than those asked for.", "the file has changed meanwhile: pull it again.");
        if (!answer.IsPart && end is not null) throw new RangesRefusedException();
        if (!answer.IsPart && state.Position > 0)
        {
            string why = isOther ? "the file has changed on the server" : "the server sends whole files only";
            if (!target.TryRestart($"{file.Name}: {why}; starting from the beginning.")) throw new RangesRefusedException();
            state.Position = 0;
        }

        state.ETag = answer.ETag;
        state.Size ??= answer.Linked.Size ?? answer.Size;
        state.LinkedSha256 ??= answer.Linked.Sha256;
    }

    private static async Task<int> ReadAsync(RemoteFile file, Stream body, byte[] buffer, CancellationToken cancellationToken)
    {
        try
        {
            return await body.ReadAsync(buffer.AsMemory(0, BufferBytes), cancellationToken).ConfigureAwait(false);
        }
        catch (Exception exception) when (exception is IOException or HttpRequestException)
        {
            throw new TransferCutException($"the connection to {file.Address.Authority} broke", null, exception);
        }
    }

    private RetryStrategyOptions RetryRules() => new()
    {
        ShouldHandle = new PredicateBuilder().Handle<TransferCutException>(),
        MaxRetryAttempts = _options.Retries,
        BackoffType = DelayBackoffType.Exponential,
        UseJitter = true,
        Delay = TimeSpan.FromMilliseconds(_options.FirstPauseMilliseconds),
        MaxDelay = TimeSpan.FromSeconds(_options.LongestPauseSeconds),
        DelayGenerator = arguments => ValueTask.FromResult(
            arguments.Outcome.Exception is TransferCutException { RetryAfter: { } wait }
                ? TimeSpan.FromSeconds(Math.Clamp(wait.TotalSeconds, 0, _options.LongestPauseSeconds))
                : (TimeSpan?)null),
        OnRetry = arguments =>
        {
            Note($"{arguments.Outcome.Exception?.Message}; trying again in {arguments.RetryDelay.TotalSeconds:0.#} s ({arguments.AttemptNumber + 1} of {_options.Retries}).");
            return ValueTask.CompletedTask;
        },
    };

    private void Note(string text) => _progress.Report(PullEvent.Note(text));
}
