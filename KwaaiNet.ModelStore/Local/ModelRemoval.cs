using KwaaiNet.ModelStore.Digests;
using KwaaiNet.ModelStore.Transfer;

namespace KwaaiNet.ModelStore.Local;

/// <summary>Removes a model and all that lies beside it from the store's folder.</summary>
public static class ModelRemoval
{
    /// <summary>The files that go with a model, existing ones only.</summary>
    /// <param name="model">A GGUF file, any part of a split one, or a folder.</param>
    public static IReadOnlyList<string> FilesOf(string model)
    {
        ArgumentNullException.ThrowIfNull(model);
        if (Directory.Exists(model)) return [.. Directory.EnumerateFiles(model).Order(StringComparer.Ordinal)];
        IEnumerable<string> files = PartsOf(model).SelectMany(file => new[]
        {
            file, file + ".part", DownloadJournal.PathFor(file + ".part"), ModelCard.PathFor(file), TensorDigests.PathFor(file),
        });
        return [.. files.Where(File.Exists)];
    }

    /// <summary>Deletes a model's files, and folders that are empty then.</summary>
    /// <param name="folder">The store's folder; nothing outside it is touched.</param>
    /// <param name="model">A GGUF file or a folder in it.</param>
    /// <returns>Bytes that were freed.</returns>
    /// <exception cref="ModelStoreException">The model is not in the folder, or a file cannot be deleted.</exception>
    public static long Remove(string folder, string model)
    {
        string root = Path.GetFullPath(folder);
        string path = Path.GetFullPath(model);
        if (!path.StartsWith(root + Path.DirectorySeparatorChar, StringComparison.Ordinal))
            throw new ModelStoreException($"{path} is not in {root}: it came with the product or is yours.", "delete the file yourself.");
        long freed = 0;
        try
        {
            foreach (string file in FilesOf(path))
            {
                freed += new FileInfo(file).Length;
                File.Delete(file);
            }

            RemoveEmptyFolders(root, Directory.Exists(path) ? path : Path.GetDirectoryName(path));
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            throw new ModelStoreException($"{path} cannot be removed: {exception.Message}", "stop the network that serves it ('kwaainet down'), and try again.", exception);
        }

        return freed;
    }

    internal static void RemoveEmptyFolders(string root, string? folder)
    {
        for (string? at = folder;
            at is not null && at.Length > root.Length && Directory.Exists(at) && !Directory.EnumerateFileSystemEntries(at).Any();
            at = Path.GetDirectoryName(at))
        {
            Directory.Delete(at);
        }
    }

    internal static IEnumerable<string> PartsOf(string model)
    {
        // name-00001-of-00003.gguf: its siblings differ in the first number.
        string name = Path.GetFileName(model);
        int of = name.LastIndexOf("-of-", StringComparison.Ordinal);
        if (of < 6 || !int.TryParse(name.AsSpan(of - 5, 5), out _) || !Directory.Exists(Path.GetDirectoryName(model))) return [model];
        return Directory.EnumerateFiles(Path.GetDirectoryName(model)!, $"{name[..(of - 5)]}?????{name[of..]}").Order(StringComparer.Ordinal);
    }
}
