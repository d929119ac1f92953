using KwaaiNet.CandelEngine.Safetensors;

namespace KwaaiNet.CandelEngine.Models.Formats;

/// <summary>What a path says about the model there, before it is opened: a file, or a folder of <c>config.json</c> and <c>.safetensors</c> files.</summary>
public static class ModelPath
{
    /// <summary>Whether there is a file, or a folder that is a model.</summary>
    public static bool Exists(string path) => File.Exists(path) || ModelFolder.IsModel(path);

    /// <summary>The name a model at a path goes by: the file's without extension, the folder's.</summary>
    public static string NameOf(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        path = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        // "model.safetensors" says nothing, and a folder's "Llama-3.2-1B" has no extension.
        return Directory.Exists(path) ? Path.GetFileName(path)
            : ModelFolder.Names(path) ? Path.GetFileName(Path.GetDirectoryName(path)!)
            : Path.GetFileNameWithoutExtension(path);
    }

    /// <summary>Bytes of the file, or of the folder's weights.</summary>
    /// <exception cref="IOException">There is nothing at the path, or it cannot be looked at.</exception>
    public static long Bytes(string path) => Directory.Exists(path) ? ModelFolder.WeightBytes(path) : new FileInfo(path).Length;
}
