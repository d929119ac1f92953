namespace KwaaiNet.CandelEngine.Tests;

/// <summary>Finds the folder of models and test vectors that are not part of the product. Tests that need it are skipped where it is not.</summary>
internal static class TestData
{
    private const string Variable = "KWAAINET_TESTDATA";

    /// <summary>A file of that folder; skips the test with the reason when there is no such folder or file.</summary>
    /// <param name="parts">The path inside the folder.</param>
    public static string Require(params string[] parts)
    {
        string? folder = Find();
        Assert.SkipWhen(folder is null, $"No test data: set {Variable} to the folder, or put it beside the repository as 'shared'.");
        string path = Path.Combine([folder, .. parts]);
        Assert.SkipUnless(File.Exists(path) || Directory.Exists(path), $"The test data has no {string.Join('/', parts)}.");
        return path;
    }

    /// <summary>A folder or file of that folder; null where it is not.</summary>
    /// <param name="parts">The path inside the folder.</param>
    public static string? TryFind(params string[] parts) =>
        Find() is { } folder && Path.Combine([folder, .. parts]) is var path && Path.Exists(path) ? path : null;

    private static string? Find()
    {
        if (Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } named)
            return Directory.Exists(named) ? named : null;
        for (DirectoryInfo? at = new(AppContext.BaseDirectory); at is not null; at = at.Parent)
        {
            if (Path.Exists(Path.Combine(at.FullName, ".git")))
            {
                string beside = Path.Combine(at.FullName, "..", "shared");
                return Directory.Exists(beside) ? Path.GetFullPath(beside) : null;
            }
        }

        return null;
    }
}
