namespace KwaaiNet.Benchmarks;

/// <summary>The demo model of the repository.</summary>
internal static class ShippedModel
{
    /// <summary>Its file, or the one that <c>KWAAINET_MODEL</c> names.</summary>
    public static string Path => Environment.GetEnvironmentVariable("KWAAINET_MODEL") ?? Find();

    private static string Find()
    {
        DirectoryInfo? folder = new(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(System.IO.Path.Combine(folder.FullName, "KwaaiNet.slnx"))) folder = folder.Parent;
        return System.IO.Path.Combine(folder?.FullName ?? ".", "models", "kwaai-demo.gguf");
    }
}
