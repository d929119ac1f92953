using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.ModelStore.Digests;
using KwaaiNet.ModelStore.Progress;
using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Parts;

/// <summary>Downloads the header and some blocks of a GGUF, by ranges, into a valid GGUF of its own.</summary>
/// <param name="transfer">Brings the bytes.</param>
/// <param name="freeSpace">Free bytes on a folder's disk; null: not known.</param>
/// <param name="progress">Hears what happens.</param>
internal sealed class PartDownload(FileTransfer transfer, Func<string, long?> freeSpace, IProgress<PullEvent> progress)
{
    /// <summary>Makes the file be there. Who calls holds the file's lock.</summary>
    /// <param name="model">The model's name, for the file and for messages.</param>
    /// <param name="file">The whole file as it is published.</param>
    /// <param name="blocks">Which blocks.</param>
    /// <param name="pathFor">The place, by first block and end.</param>
    /// <param name="known">Digests to check tensors against; null: none.</param>
    /// <param name="cancellationToken">Stops; a part stays that a later call goes on with.</param>
    /// <exception cref="ModelStoreException">It cannot be had.</exception>
    /// <exception cref="RangesRefusedException">The server sends whole files only.</exception>
    public async Task<FileOutcome> RunAsync(
        string model, RemoteFile file, WantedBlocks blocks, Func<int, int, string> pathFor, TensorDigests? known, CancellationToken cancellationToken)
    {
        TransferState state = new() { Size = file.Size };
        GgufLayout layout = await RemoteHeader.FetchAsync(transfer, file, state, cancellationToken).ConfigureAwait(false);
        if (layout.Values.ContainsKey(GgufPart.SourceSha256Key)) throw new ModelStoreException($"{model} is itself only a part of a model.", "pull the whole model it is part of.");
        string sha256 = file.Sha256 ?? state.LinkedSha256 ?? throw new ModelStoreException(
            $"The publisher of {model} names no SHA-256 for it, so nothing would tie its parts together.", "pull it whole, without --blocks.");
        long size = state.Size ?? throw new ModelStoreException($"The publisher of {model} does not say how large it is.", "pull it whole, without --blocks.");
        if (known is not null && !string.Equals(known.Sha256, sha256, StringComparison.OrdinalIgnoreCase))
            throw new ModelStoreException($"The list of digests is for another file: it says {known.Sha256}, and {model} is {sha256}.", "take the list that was written for this very file.");
        (int first, int end) = blocks.Resolve(layout.BlockCount, model);
        PartPlan plan = PartPlan.Create(layout, first, end, sha256, size, model);
        Check(plan, size, model);

        string path = pathFor(first, end);
        if (File.Exists(path) && IsAlreadyThere(path, sha256)) return new FileOutcome(path, new FileInfo(path).Length, sha256, state.Received, 0, WasThere: true);
        string part = path + ".part";
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        FileStream stream = new(part, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.Read, 1 << 16);
        long resumed;
        await using (stream.ConfigureAwait(false))
        {
            DownloadJournal journal = new(file.Address.ToString(), sha256, size, state.ETag) { Blocks = $"{first}-{end}" };
            bool goesOn = await CanGoOnAsync(stream, part, journal, plan, cancellationToken).ConfigureAwait(false);
            Dictionary<string, string> digests = goesOn ? DownloadJournal.Read(part)!.Digests : [];
            journal = journal with { Digests = digests };
            using PartTarget target = new(stream, plan, Path.GetFileName(path), known, digests, progress);
            if (goesOn)
            {
                await target.TakeExistingAsync(cancellationToken).ConfigureAwait(false);
                progress.Report(PullEvent.Note($"{Path.GetFileName(path)}: going on after {ByteCount.Of(stream.Length)} of an earlier pull."));
            }
            else
            {
                stream.SetLength(0);
                await stream.WriteAsync(plan.Header, cancellationToken).ConfigureAwait(false);
            }

            resumed = stream.Length - plan.Header.Length;
            DiskSpace.Require(Path.GetDirectoryName(path)!, Path.GetFileName(path), plan.Length - stream.Length, freeSpace);
            try
            {
                await ReceiveAsync(file, plan, state, target, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await stream.FlushAsync(CancellationToken.None).ConfigureAwait(false);
                journal.Write(part);
            }

            await target.WriteDigestsAsync().ConfigureAwait(false);
        }

        OpenOnce(part, model);
        File.Move(part, path, overwrite: true);
        File.Delete(DownloadJournal.PathFor(part));
        progress.Report(new PullEvent(PullStage.Done, Path.GetFileName(path), plan.Length, plan.Length, null));
        return new FileOutcome(path, plan.Length, sha256, state.Received, resumed, WasThere: false) { IsVerified = known is not null && plan.Tensors.All(tensor => known.Tensors.ContainsKey(tensor.Source.Name)) };
    }

    private async Task ReceiveAsync(RemoteFile file, PartPlan plan, TransferState state, PartTarget target, CancellationToken cancellationToken)
    {
        foreach ((long from, long end) in plan.Runs)
        {
            if (target.Next is not { } next || next >= end) continue;
            state.Position = Math.Max(from, next);
            target.Seek(state.Position);
            await transfer.ReceiveAsync(file, end, state, target, cancellationToken).ConfigureAwait(false);
        }
    }

    private async Task<bool> CanGoOnAsync(FileStream stream, string part, DownloadJournal wanted, PartPlan plan, CancellationToken cancellationToken)
    {
        if (stream.Length == 0) return false;
        string? problem = DownloadJournal.Read(part) is { } journal ? journal.DiffersFrom(wanted) : "nothing says what it is part of";
        if (problem is null)
        {
            byte[] header = new byte[plan.Header.Length];
            stream.Position = 0;
            int read = await stream.ReadAtLeastAsync(header, header.Length, throwOnEndOfStream: false, cancellationToken).ConfigureAwait(false);
            if (read == header.Length && header.AsSpan().SequenceEqual(plan.Header)) return true;
            problem = "its header is another";
        }

        progress.Report(PullEvent.Note($"{Path.GetFileNameWithoutExtension(part)}: what an earlier pull left cannot be gone on with ({problem}); starting from the beginning."));
        return false;
    }

    private static void Check(PartPlan plan, long size, string model)
    {
        long last = 0;
        foreach (PartTensor tensor in plan.Tensors)
        {
            if (tensor.Source.Offset < last || tensor.Source.Bytes > size - tensor.Source.Offset)
                throw new ModelStoreException($"{model}: tensor '{tensor.Source.Name}' does not lie where a tensor can, by the file's header.", "the file is damaged where it is published: take another conversion of the model.");
            last = tensor.Source.Offset + tensor.Source.Bytes;
        }
    }

    private static bool IsAlreadyThere(string path, string sha256)
    {
        try
        {
            using GgufFile file = GgufFile.Open(path);
            if (GgufPart.Read(file) is not { } part || part.SourceSha256 != sha256) return false;
            part.Verify();
            return true;
        }
        catch (ModelFormatException)
        {
            return false;
        }
    }

    private static void OpenOnce(string path, string model)
    {
        try
        {
            using GgufFile file = GgufFile.Open(path);
        }
        catch (ModelFormatException exception)
        {
            DownloadJournal.Delete(path);
            throw new ModelStoreException($"{model}: what came cannot be opened: {exception.Message}", "take another conversion of the model.", exception);
        }
    }
}
