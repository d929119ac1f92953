using System.Buffers;
using KwaaiNet.CandelEngine.Files;
using KwaaiNet.CandelEngine.Models;
using KwaaiNet.CandelEngine.Models.Formats;
using KwaaiNet.ModelStore.Digests;
using KwaaiNet.ModelStore.Progress;
using KwaaiNet.ModelStore.References;
using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Local;

/// <summary>Takes a model that is on this machine already into the store's folder.</summary>
/// <param name="options">The folder.</param>
/// <param name="time">The clock.</param>
/// <param name="progress">Hears how far it is.</param>
public sealed class ModelImport(ModelStoreOptions options, TimeProvider time, IProgress<PullEvent> progress)
{
    // Of a folder. Whatever else lies there, the same weights in another format say, is not read.
    private static readonly string[] s_modelFiles = [".safetensors", ".json", ".jinja"];

    /// <summary>Imports a file or a folder.</summary>
    /// <param name="path">A GGUF file, or a folder of safetensors, or a file in one.</param>
    /// <param name="name">The name it is to go by, <c>family:tag</c> or a word; null: the file's own.</param>
    /// <param name="link">Whether to link instead of copying: no room is taken, and the file must be on the same disk.</param>
    /// <param name="cancellationToken">Stops; nothing is left behind.</param>
    /// <returns>What to open.</returns>
    /// <exception cref="ModelStoreException">It cannot be opened, or not be taken in.</exception>
    public async Task<FileOutcome> RunAsync(string path, string? name, bool link, CancellationToken cancellationToken)
    {
        string source = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        // One file of a model of safetensors is not the model: its folder is.
        if (File.Exists(source) && (source.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase) || source.EndsWith(".json", StringComparison.OrdinalIgnoreCase)))
            source = Path.GetDirectoryName(source)!;
        bool isFolder = Directory.Exists(source);
        if (!isFolder && !File.Exists(source)) throw new ModelStoreException($"There is nothing at {source}.", "check the path: import takes a .gguf file or a folder with config.json and .safetensors files.");
        CheckOpens(source);
        string goesBy = name ?? (isFolder ? Path.GetFileName(source) : Path.GetFileNameWithoutExtension(source));
        string[] parts = [.. goesBy.Split(':', '/')];
        if (parts.Length > 3 || parts.Any(part => part.Length == 0 || !ModelReference.IsSafe(part)))
            throw new ModelStoreException($"'{goesBy}' is not a name a model can go by here.", "--name with letters, digits and dots, as in --name mistral:7b.");
        string target = Path.Combine([options.Folder, .. parts]) + (isFolder ? "" : ".gguf");
        if (target == source) throw new ModelStoreException($"{source} is in the store's folder already.", "use it as it is.");
        if (File.Exists(target) || Directory.Exists(target)) throw new ModelStoreException($"There is a model at {target} already.", "choose another --name, or remove it first with 'kwaainet rm'.");

        List<(string From, string To)> files = isFolder
            ? [.. Directory.EnumerateFiles(source).Where(file => s_modelFiles.Contains(Path.GetExtension(file), StringComparer.OrdinalIgnoreCase)).Select(file => (file, Path.Combine(target, Path.GetFileName(file))))]
            : [.. ModelRemoval.PartsOf(source).Select(file => (file, file == source ? target : Path.Combine(Path.GetDirectoryName(target)!, Path.GetFileName(file))))];
        if (files.Count > 1 && !isFolder && name is not null) throw new ModelStoreException("A split model keeps the names of its files.", "import it without --name.");
        Directory.CreateDirectory(Path.GetDirectoryName(files[0].To)!);
        long bytes = files.Sum(file => new FileInfo(file.From).Length);
        string? sha256 = null;
        List<string> taken = [];
        try
        {
            if (!link) DiskSpace.Require(Path.GetDirectoryName(files[0].To)!, Path.GetFileName(source), bytes, DiskSpace.Free);
            foreach ((string from, string to) in files)
            {
                sha256 = await TakeAsync(from, to, link, taken, cancellationToken).ConfigureAwait(false);
            }

            new ModelCard { Source = source, Sha256 = files.Count == 1 ? sha256 : null, Pulled = time.GetUtcNow() }.Write(target);
        }
        catch
        {
            // A model with files missing would be in the way of the next try.
            foreach (string file in taken.Where(File.Exists)) File.Delete(file);
            ModelRemoval.RemoveEmptyFolders(Path.GetFullPath(options.Folder), Path.GetDirectoryName(files[0].To)!);
            throw;
        }

        return new FileOutcome(target, bytes, files.Count == 1 ? sha256 : null, 0, 0, WasThere: false);
    }

    private static void CheckOpens(string path)
    {
        try
        {
            using ModelFile _ = ModelFile.Open(path);
        }
        catch (Exception exception) when (exception is ModelFormatException or IOException or UnauthorizedAccessException)
        {
            throw new ModelStoreException($"{path} cannot be served: {exception.Message}", "import another conversion of the model.", exception);
        }
    }

    private async Task<string> TakeAsync(string from, string to, bool link, List<string> taken, CancellationToken cancellationToken)
    {
        string name = Path.GetFileName(to);
        string part = to + ".part";
        using ContentHash hash = new(name, name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase), null);
        byte[] buffer = ArrayPool<byte>.Shared.Rent(1 << 20);
        try
        {
            RegularFile.Require(from);
            FileStream source = new(from, FileMode.Open, FileAccess.Read, FileShare.Read, 0, FileOptions.SequentialScan | FileOptions.Asynchronous);
            await using (source.ConfigureAwait(false))
            {
                Stream copy = link ? Stream.Null : new FileStream(part, FileMode.Create, FileAccess.Write, FileShare.None, 0);
                await using (copy.ConfigureAwait(false))
                {
                    for (int read; (read = await source.ReadAsync(buffer, cancellationToken).ConfigureAwait(false)) > 0;)
                    {
                        hash.Append(buffer.AsSpan(0, read));
                        await copy.WriteAsync(buffer.AsMemory(0, read), cancellationToken).ConfigureAwait(false);
                        progress.Report(new PullEvent(link ? PullStage.Checking : PullStage.Receiving, name, source.Position, source.Length, null));
                    }
                }

                if (link) HardLink.Create(from, to);
                else File.Move(part, to);
                taken.Add(to);
                hash.Tensors?.Complete();
                string sha256 = hash.Sha256();
                if (hash.Tensors?.Digests is { } tensors)
                {
                    taken.Add(TensorDigests.PathFor(to));
                    new TensorDigests(sha256, source.Length, tensors).Write(to);
                }

                progress.Report(new PullEvent(PullStage.Done, name, source.Length, source.Length, null));
                return sha256;
            }
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or ModelFormatException)
        {
            throw new ModelStoreException($"{from} cannot be taken in: {exception.Message}", link ? "import without --link: it copies." : "make room, and make the folder writable.", exception);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
            File.Delete(part);
        }
    }
}
