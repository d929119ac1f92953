namespace KwaaiNet.CandelEngine.Files;

/// <summary>Opens files that people name, and nothing that only looks like one: opening a pipe waits for somebody to write into it, without end.</summary>
public static class RegularFile
{
    /// <summary>Says that a path is no file to read.</summary>
    /// <param name="path">What to read. A link is followed.</param>
    /// <exception cref="FileNotFoundException">There is nothing at the path.</exception>
    /// <exception cref="ModelFormatException">It is a folder; or it has no bytes: an empty file, a pipe, a socket or a device.</exception>
    /// <exception cref="IOException">It cannot be looked at, or links lead in a circle.</exception>
    public static void Require(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        path = Path.GetFullPath(path);
        if (Directory.Exists(path))
            throw new ModelFormatException($"{path}: this is a folder, not a file. Give the file in it.");
        FileInfo file = new(path);
        if (!file.Exists)
            throw new FileNotFoundException($"There is no model file {path}.", path);
        // A link's length is that of its own text. Nothing but a file with something in it has one, on any system.
        FileSystemInfo target = file.ResolveLinkTarget(returnFinalTarget: true) ?? file;
        if (target is not FileInfo { Length: > 0 })
            throw new ModelFormatException($"{path}: there are no bytes in it. It is empty, or no regular file but a pipe, a socket or a device. Download it again, or give another path.");
    }

    /// <summary>Opens a file to be read.</summary>
    /// <inheritdoc cref="Require"/>
    public static FileStream OpenRead(string path)
    {
        Require(path);
        return new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
    }
}
