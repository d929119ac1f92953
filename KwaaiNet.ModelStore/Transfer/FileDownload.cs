using KwaaiNet.ModelStore.Digests;
using KwaaiNet.ModelStore.Progress;

namespace KwaaiNet.ModelStore.Transfer;

/// <summary>Downloads a whole file: resumes what an earlier run left, checks its digest, and puts it in its place in one move.</summary>
/// <param name="transfer">Brings the bytes.</param>
/// <param name="freeSpace">Free bytes on a folder's disk; null: not known.</param>
/// <param name="progress">Hears what happens.</param>
internal sealed class FileDownload(FileTransfer transfer, Func<string, long?> freeSpace, IProgress<PullEvent> progress)
{
    /// <summary>Makes the file be there. Who calls holds the file's lock.</summary>
    /// <param name="file">The file.</param>
    /// <param name="path">Its place.</param>
    /// <param name="cancellationToken">Stops; a part stays that a later call goes on with.</param>
    /// <exception cref="ModelStoreException">It cannot be had, or is not what its publisher says.</exception>
    public async Task<FileOutcome> RunAsync(RemoteFile file, string path, CancellationToken cancellationToken)
    {
        string name = Path.GetFileName(path);
        if (File.Exists(path) && await IsAlreadyThereAsync(file, path, cancellationToken).ConfigureAwait(false))
            return new FileOutcome(path, new FileInfo(path).Length, file.Sha256, 0, 0, WasThere: true);

        string folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        string part = path + ".part";
        FileStream stream = new(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 1 << 16);
        TransferState state = new() { Size = file.Size };
        long resumed;
        string sha256;
        await using (stream.ConfigureAwait(false))
        {
            using FileTarget target = new(stream, name, () => new ContentHash(name, file.IsGguf, file.GitBlobId is null ? null : file.Size), progress) { Total = file.Size };
            DownloadJournal wanted = new(file.Address.ToString(), file.Sha256, file.Size, null);
            resumed = await ResumeAsync(stream, part, wanted, target, state, cancellationToken).ConfigureAwait(false);
            DiskSpace.Require(folder, name, (file.Size ?? 0) - resumed, freeSpace);
            wanted.Write(part);
            try
            {
                await transfer.ReceiveAsync(file, null, state, target, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                // Also after Ctrl-C: the version is what a file without a digest is gone on with.
                (wanted with { Size = state.Size ?? file.Size, ETag = state.ETag }).Write(part);
                if (stream.Length == 0 && file.Size != 0)
                {
                    // Nothing came: nothing to go on with.
                    await stream.DisposeAsync().ConfigureAwait(false);
                    DownloadJournal.Delete(part);
                }
            }

            target.Hash.Tensors?.Complete();
            sha256 = target.Hash.Sha256();
            Check(file, name, part, stream, sha256, target.Hash.GitBlobId(), state);
            stream.Flush(flushToDisk: true);
            if (target.Hash.Tensors?.Digests is { } tensors && (file.Sha256 ?? state.LinkedSha256) is not null)
                new TensorDigests(sha256, stream.Length, tensors).Write(path);
        }

        File.Move(part, path, overwrite: true);
        File.Delete(DownloadJournal.PathFor(part));
        long length = new FileInfo(path).Length;
        progress.Report(new PullEvent(PullStage.Done, name, length, length, null));
        bool isVerified = (file.Sha256 ?? state.LinkedSha256 ?? file.GitBlobId) is not null;
        if (!isVerified) progress.Report(PullEvent.Note($"{name}: its publisher names no digest; what came is kept as it came, SHA-256 {sha256}."));
        return new FileOutcome(path, length, sha256, state.Received, resumed, WasThere: false) { IsVerified = isVerified };
    }

    private async Task<long> ResumeAsync(
        FileStream stream, string part, DownloadJournal wanted, FileTarget target, TransferState state, CancellationToken cancellationToken)
    {
        if (stream.Length == 0) return 0;
        string name = Path.GetFileNameWithoutExtension(part);
        DownloadJournal? journal = DownloadJournal.Read(part);
        string? problem = journal is null ? "nothing says what it is part of" : journal.DiffersFrom(wanted);
        if (problem is null && wanted.Size is { } size && stream.Length > size) problem = "it is longer than the whole file";
        if (problem is not null)
        {
            progress.Report(PullEvent.Note($"{name}: what an earlier pull left cannot be gone on with ({problem}); starting from the beginning."));
            stream.SetLength(0);
            return 0;
        }

        state.ETag = wanted.Sha256 is null ? journal!.ETag : null;
        state.Size ??= journal!.Size;
        state.Position = await target.TakeExistingAsync(stream.Length, cancellationToken).ConfigureAwait(false);
        progress.Report(PullEvent.Note($"{name}: going on after {ByteCount.Of(state.Position)} of an earlier pull."));
        return state.Position;
    }

    private static void Check(RemoteFile file, string name, string part, FileStream stream, string sha256, string? gitBlobId, TransferState state)
    {
        string? expected = file.Sha256 ?? state.LinkedSha256 ?? file.GitBlobId;
        bool hasSha256 = (file.Sha256 ?? state.LinkedSha256) is not null;
        string? actual = hasSha256 ? sha256 : gitBlobId;
        if (state.Size is { } size && stream.Length != size)
            throw new ModelStoreException($"{name}: {size} bytes are expected and {stream.Length} came.", "pull it again: it goes on where it stopped.");
        if (expected is null || expected == actual) return;
        stream.Dispose();
        DownloadJournal.Delete(part);
        throw new ModelStoreException(
            $"{name} is not the file its publisher names: {(hasSha256 ? "SHA-256" : "git's id")} {expected} is expected and {actual} came. It was deleted.",
            "pull it again; if it comes out the same, the server or something on the way changes the file: ask another registry, with --registry.");
    }

    /// <summary>Whether the file at a path is the published one, by its digest.</summary>
    public async Task<bool> IsAlreadyThereAsync(RemoteFile file, string path, CancellationToken cancellationToken)
    {
        long length = new FileInfo(path).Length;
        if (file.Sha256 is null && file.GitBlobId is null) return file.Size == length;
        if (file.Size is { } size && size != length) return false;
        string name = Path.GetFileName(path);
        using ContentHash hash = new(name, isGguf: false, file.GitBlobId is null ? null : length);
        FileStream stream = new(path, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan | FileOptions.Asynchronous);
        await using (stream.ConfigureAwait(false))
        {
            byte[] buffer = new byte[1 << 20];
            for (int read; (read = await stream.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
            {
                hash.Append(buffer.AsSpan(0, read));
                progress.Report(new PullEvent(PullStage.Checking, name, stream.Position, length, null));
            }
        }

        bool same = file.Sha256 is not null ? hash.Sha256() == file.Sha256 : hash.GitBlobId() == file.GitBlobId;
        if (!same) progress.Report(PullEvent.Note($"{name}: another file is here under that name, older or damaged; it is replaced when the new one is complete."));
        return same;
    }
}
