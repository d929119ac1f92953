using KwaaiNet.CandelEngine.Gguf;
using KwaaiNet.CandelEngine.Safetensors;

namespace KwaaiNet.CandelEngine.Models.Formats;

/// <summary>What a path says about the model there, before it is opened: a file, or a folder of <c>config.json</c> and <c>.safetensors</c> files.</summary>
public static class ModelPath
{
    /// <summary>Whether there is a file, or a folder that is a model.</summary>
    public static bool Exists(string path) => File.Exists(path) || ModelFolder.IsModel(path);

    /// <summary>The name a model at a path goes by: the file's without extension, the folder's. Of a split model, what the names of its parts begin with, whichever part is given.</summary>
    public static string NameOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        // "model.safetensors" says nothing, and a folder's "Llama-3.2-1B" has no extension.
        return Directory.Exists(path) ? Path.GetFileName(path)
            : ModelFolder.Names(path) ? Path.GetFileName(Path.GetDirectoryName(path)!)
            : GgufPartName.Parse(path) is { } part && Path.GetFileName(part.Stem) is { Length: > 0 } stem ? stem
            : Path.GetFileNameWithoutExtension(path);
    }

    /// <summary>How many files hold the weights of the model at a path: more than 1 where it is split, whichever part of a GGUF is given.</summary>
    public static int Parts(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Directory.Exists(path) ? ModelFolder.WeightFiles(path) : GgufPartName.Parse(path)?.Count ?? 1;
    }

    /// <summary>Bytes of the file, of all parts of a split model that are there, or of the folder's weights.</summary>
    /// <exception cref="IOException">There is nothing at the path, or it cannot be looked at.</exception>
    public static long Bytes(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        if (Directory.Exists(path)) return ModelFolder.WeightBytes(path);

        long given = new FileInfo(path).Length;
        if (GgufPartName.Parse(path) is not { } part) return given;
        return given + Enumerable.Range(1, part.Count).Where(number => number != part.Number).Select(number => new FileInfo(part.PathOf(number))).Sum(file => file.Exists ? file.Length : 0);
    }
}
