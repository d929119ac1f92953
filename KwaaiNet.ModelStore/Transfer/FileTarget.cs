using KwaaiNet.ModelStore.Digests;
using KwaaiNet.ModelStore.Progress;

namespace KwaaiNet.ModelStore.Transfer;

/// <summary>Writes received bytes to a part file, hashing them on the way.</summary>
internal sealed class FileTarget(FileStream stream, string name, Func<ContentHash> newHash, IProgress<PullEvent> progress) : ITransferTarget, IDisposable
{
    // Often enough for a bar to move, seldom enough to cost nothing.
    private const long ReportEvery = 1 << 20;

    private long _reported;

    public ContentHash Hash { get; private set; } = newHash();

    /// <summary>The whole file's size, for the bar.</summary>
    public long? Total { get; set; }

    /// <summary>Hashes what an earlier run left: nothing that was not read again is trusted.</summary>
    public async Task<long> TakeExistingAsync(long count, CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[1 << 20];
        stream.Position = 0;
        long position = 0;
        while (position < count)
        {
            int read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, count - position)), cancellationToken).ConfigureAwait(false);
            if (read == 0) break;
            Hash.Append(buffer.AsSpan(0, read));
            position += read;
            progress.Report(new PullEvent(PullStage.Checking, name, position, count, null));
        }

        stream.SetLength(position);
        stream.Position = position;
        return position;
    }

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (stream.Position == 0) RefuseWebPage(bytes.Span);
        try
        {
            // Not cancelled in the middle: what is hashed is what is in the file.
            await stream.WriteAsync(bytes, CancellationToken.None).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw new ModelStoreException($"{name} cannot be written: {exception.Message}", "make room on the disk and pull again: it goes on where it stopped.", exception);
        }

        Hash.Append(bytes.Span);
        if (stream.Position - _reported < ReportEvery && stream.Position != Total) return;
        _reported = stream.Position;
        progress.Report(new PullEvent(PullStage.Receiving, name, stream.Position, Total, null));
    }

    public bool TryRestart(string why)
    {
        progress.Report(PullEvent.Note(why));
        stream.SetLength(0);
        Hash.Dispose();
        Hash = newHash();
        _reported = 0;
        return true;
    }

    public void Dispose() => Hash.Dispose();

    private void RefuseWebPage(ReadOnlySpan<byte> start)
    {
        if (!name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)) return;
        if (start.TrimStart(" \t\r\n"u8) is [(byte)'<', ..])
            throw new ModelStoreException($"A web page came in place of {name}.", "open the address in a browser: a proxy, a login or an error page stands before the file.");
        if (start.Length >= 4 && !start[..4].SequenceEqual("GGUF"u8))
            throw new ModelStoreException($"What came as {name} is no GGUF file: it does not start with the letters GGUF.", "check the name; ask another registry, with --registry.");
    }
}
