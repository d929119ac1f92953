namespace KwaaiNet.Cli.Installation;

/// <summary>The working copy a development build runs from.</summary>
internal static class RepositoryFolder
{
    /// <summary>The nearest folder at or above <paramref name="start"/> that holds the solution; null in an installed copy.</summary>
    public static string? Find(string start)
    {
        for (DirectoryInfo? folder = new(start); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "KwaaiNet.slnx")))
            {
                return folder.FullName;
            }
        }

        return null;
    }
}
