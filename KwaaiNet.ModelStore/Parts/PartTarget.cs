using System.Security.Cryptography;
using System.Text;
using KwaaiNet.ModelStore.Digests;
using KwaaiNet.ModelStore.Progress;
using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Parts;

/// <summary>Takes stretches of a source, keeps the planned tensors of them, hashes each, and fills the digests in at the end.</summary>
internal sealed class PartTarget(FileStream stream, PartPlan plan, string name, TensorDigests? known, Dictionary<string, string> digests, IProgress<PullEvent> progress)
    : ITransferTarget, IDisposable
{
    private const long ReportEvery = 1 << 20;

    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private int _current;
    private long _done;
    private long _reported;
    private long _sourcePosition;

    /// <summary>The next byte of the source that is missing; null: none.</summary>
    public long? Next => _current < plan.Tensors.Count ? plan.Tensors[_current].Source.Offset + _done : null;

    /// <summary>Says where in the source the next bytes come from.</summary>
    public void Seek(long sourcePosition) => _sourcePosition = sourcePosition;

    /// <summary>Reads again what an earlier run left: complete tensors must have the digests they had, and the file is cut before one that has not.</summary>
    public async Task TakeExistingAsync(CancellationToken cancellationToken)
    {
        byte[] buffer = new byte[1 << 20];
        long length = stream.Length;
        for (; _current < plan.Tensors.Count; _current++)
        {
            PartTensor tensor = plan.Tensors[_current];
            stream.Position = tensor.Target;
            for (_done = 0; _done < tensor.Source.Bytes && stream.Position < length;)
            {
                int read = await stream.ReadAsync(buffer.AsMemory(0, (int)Math.Min(buffer.Length, tensor.Source.Bytes - _done)), cancellationToken).ConfigureAwait(false);
                if (read == 0) break;
                _hash.AppendData(buffer, 0, read);
                _done += read;
                progress.Report(new PullEvent(PullStage.Checking, name, stream.Position, length, null));
            }

            if (_done < tensor.Source.Bytes) break;
            string digest = Convert.ToHexStringLower(_hash.GetHashAndReset());
            if (length < tensor.Target + tensor.Padded || !digests.TryGetValue(tensor.Source.Name, out string? before) || before != digest)
            {
                // Written to the end, and not noted, or changed since: this one comes again.
                _done = 0;
                break;
            }
        }

        foreach (PartTensor missing in plan.Tensors.Skip(_current)) digests.Remove(missing.Source.Name);
        stream.SetLength(_current < plan.Tensors.Count ? plan.Tensors[_current].Target + _done : plan.Length);
        stream.Position = stream.Length;
    }

    public async ValueTask AppendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        while (!bytes.IsEmpty && _current < plan.Tensors.Count)
        {
            PartTensor tensor = plan.Tensors[_current];
            int gap = (int)Math.Min(Math.Max(0, tensor.Source.Offset + _done - _sourcePosition), bytes.Length);
            bytes = bytes[gap..];
            _sourcePosition += gap;
            int count = (int)Math.Min(tensor.Source.Bytes - _done, bytes.Length);
            await WriteAsync(bytes[..count]).ConfigureAwait(false);
            _hash.AppendData(bytes.Span[..count]);
            bytes = bytes[count..];
            _sourcePosition += count;
            _done += count;
            if (_done == tensor.Source.Bytes) await CompleteAsync(tensor).ConfigureAwait(false);
        }

        _sourcePosition += bytes.Length;
        if (stream.Position - _reported < ReportEvery && Next is not null) return;
        _reported = stream.Position;
        progress.Report(new PullEvent(PullStage.Receiving, name, stream.Position, plan.Length, null));
    }

    public bool TryRestart(string why) => false;

    /// <summary>Writes all digests into the header.</summary>
    public async Task WriteDigestsAsync()
    {
        for (int i = 0; i < plan.Tensors.Count; i++)
        {
            stream.Position = plan.DigestPosition(i);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(digests[plan.Tensors[i].Source.Name])).ConfigureAwait(false);
        }

        stream.Flush(flushToDisk: true);
    }

    public void Dispose() => _hash.Dispose();

    private async Task CompleteAsync(PartTensor tensor)
    {
        string tensorName = tensor.Source.Name;
        string digest = Convert.ToHexStringLower(_hash.GetHashAndReset());
        if (known is not null && known.Tensors.TryGetValue(tensorName, out string? expected) && !string.Equals(expected, digest, StringComparison.OrdinalIgnoreCase))
        {
            stream.SetLength(tensor.Target);
            stream.Position = tensor.Target;
            _done = 0;
            throw new ModelStoreException(
                $"{name}: tensor '{tensorName}' is not what the list of digests says: SHA-256 {expected} is expected and {digest} came. It was dropped.",
                "pull again: only what is missing comes again; if it comes out the same, the server or something on the way changes the file.");
        }

        await WriteAsync(new byte[tensor.Padded - tensor.Source.Bytes]).ConfigureAwait(false);
        digests[tensorName] = digest;
        _current++;
        _done = 0;
    }

    private async Task WriteAsync(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            await stream.WriteAsync(bytes).ConfigureAwait(false);
        }
        catch (IOException exception)
        {
            throw new ModelStoreException($"{name} cannot be written: {exception.Message}", "make room on the disk and pull again: it goes on where it stopped.", exception);
        }
    }
}
