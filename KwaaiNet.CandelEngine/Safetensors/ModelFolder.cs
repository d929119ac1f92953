namespace KwaaiNet.CandelEngine.Safetensors;

/// <summary>A folder that is a model: <c>config.json</c> beside <c>.safetensors</c> files.</summary>
public static class ModelFolder
{
    /// <summary>The file that says what the model is.</summary>
    public const string Configuration = "config.json";

    /// <summary>The file that holds the tokenizer.</summary>
    public const string Tokenizer = "tokenizer.json";

    /// <summary>Whether a path is such a folder.</summary>
    public static bool IsModel(string path) =>
        File.Exists(Path.Combine(path, Configuration)) && Directory.EnumerateFiles(path, "*" + SafetensorsFile.Extension).Any();

    /// <summary>Whether a path names a model of this format: such a folder, a <c>.safetensors</c> file, or an index of several.</summary>
    public static bool Names(string path) =>
        path.EndsWith(SafetensorsFile.Extension, StringComparison.OrdinalIgnoreCase)
        || path.EndsWith(SafetensorsWeights.IndexExtension, StringComparison.OrdinalIgnoreCase)
        || Directory.Exists(path);

    /// <summary>Bytes of the folder's <c>.safetensors</c> files.</summary>
    public static long WeightBytes(string path) => new DirectoryInfo(path).EnumerateFiles("*" + SafetensorsFile.Extension).Sum(file => file.Length);

    /// <summary>How many <c>.safetensors</c> files are in the folder.</summary>
    public static int WeightFiles(string path) => Directory.EnumerateFiles(path, "*" + SafetensorsFile.Extension).Count();

    /// <summary>The index when the file is a part of several, <c>model-00001-of-00004.safetensors</c>, and there is one; else the file itself.</summary>
    internal static string WholeOf(string path)
    {
        const string Of = "-of-";
        string name = Path.GetFileName(path);
        int of = name.IndexOf(Of, StringComparison.Ordinal);
        int dash = of > 0 ? name.LastIndexOf('-', of - 1) : -1;
        string index = dash > 0 ? Path.Combine(Path.GetDirectoryName(path)!, name[..dash] + SafetensorsWeights.IndexExtension) : "";
        return dash > 0 && File.Exists(index) ? index : path;
    }
}
