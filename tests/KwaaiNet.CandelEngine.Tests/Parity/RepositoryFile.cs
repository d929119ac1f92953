namespace KwaaiNet.CandelEngine.Tests.Parity;

/// <summary>Files of the working copy the tests run in.</summary>
internal static class RepositoryFile
{
    /// <summary>The path of a file under the repository's root, whether it is there or not; skips where the tests run outside one.</summary>
    public static string PathOf(params string[] parts)
    {
        DirectoryInfo? root = new(AppContext.BaseDirectory);
        while (root is not null && !Path.Exists(Path.Combine(root.FullName, ".git")))
            root = root.Parent;
        Assert.SkipWhen(root is null, "The tests do not run inside the repository.");
        return Path.Combine([root.FullName, .. parts]);
    }

    /// <summary>A file of this project's test data.</summary>
    public static string Data(params string[] parts) => PathOf(["tests", "KwaaiNet.CandelEngine.Tests", "Data", .. parts]);
}
