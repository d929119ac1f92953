using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Parts;

/// <summary>Fetches a GGUF's header, in growing steps until all of it is here.</summary>
internal static class RemoteHeader
{
    // A vocabulary makes some hundred KiB, that of a recent model 8 MiB.
    private const int FirstStep = 1 << 16;
    private const int Longest = 1 << 28;

    /// <summary>Reads a remote file's layout.</summary>
    /// <exception cref="ModelStoreException">The file is no GGUF, or cannot be had.</exception>
    /// <exception cref="RangesRefusedException">The server sends whole files only.</exception>
    public static async Task<GgufLayout> FetchAsync(FileTransfer transfer, RemoteFile file, TransferState state, CancellationToken cancellationToken)
    {
        MemoryTarget target = new($"The header of {file.Name}", Longest);
        for (long end = FirstStep; ; end *= 4)
        {
            if (state.Size is { } size) end = Math.Min(end, size);
            await transfer.ReceiveAsync(file, end, state, target, cancellationToken).ConfigureAwait(false);
            try
            {
                if (GgufLayout.TryRead(target.Bytes, file.Name) is { } layout) return layout;
            }
            catch (ModelFormatException exception)
            {
                throw new ModelStoreException(exception.Message, "check the name; ask another registry, with --registry.", exception);
            }

            if (end == state.Size || end >= Longest)
                throw new ModelStoreException($"The header of {file.Name} does not end within {ByteCount.Of(end)}.", "the file is damaged where it is published: take another conversion of the model.");
        }
    }
}
