namespace KwaaiNet.Cli.Models;

/// <summary>What a model file is called when nothing else names it.</summary>
internal static class ModelNames
{
    /// <summary>The file's name without its extension: <c>kwaai-demo.gguf</c> is <c>kwaai-demo</c>.</summary>
    public static string FromFile(string path) => Path.GetFileNameWithoutExtension(path);
}
